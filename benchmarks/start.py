"""How long an agent takes from its start to its first good frame."""

import statistics

from benchmarks.layout import image
from benchmarks.plant import Setting, agent, broker, plc
from benchmarks.smelter import AUXILIARIES, POTS, modbus_devices, modbus_tables, with_clock
from benchmarks.table import Row, Section

STARTS = 5


def run(setting: Setting) -> Section:
    """The nominal smelter's agent, started five times, the log of the run before being there."""
    folder = setting.folder
    banks = (*POTS, AUXILIARIES)
    tables = modbus_tables(folder, banks)
    images = [image(bank, 4, seed) for seed, bank in enumerate(banks)]
    images[0] = with_clock(images[0])
    up, first, every = [], [], []
    with broker(folder) as mqtt, plc(folder, images, 1.0) as device:
        devices = modbus_devices(device.hello["ports"], tables)
        for _ in range(STARTS):
            with agent(folder, mqtt.port, devices) as process:
                up.append(process.wait_for("smelter_uptime_seconds", 0.0))
                first.append(process.wait_for("smelter_quality_total", 1, quality="good"))
                every.append(process.wait_for("smelter_device_up", len(devices)))
    return Section(
        "start",
        "Start of the agent",
        f"The nominal smelter's agent (9,001 points, 9 PLCs), {STARTS} starts, median, from the "
        "start of the process. The first frame waits for its slot, so up to 1 s of it is the "
        "interval.",
        (
            Row("/metrics answers", statistics.median(up), "s"),
            Row("first good frame", statistics.median(first), "s", at_most=1.5),
            Row("slowest of the starts", max(first), "s"),
            Row("every device up", statistics.median(every), "s"),
        ),
    )
