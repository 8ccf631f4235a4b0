"""The edge process on a real OPC UA server: subscription, loss of the server, its return."""

import re
from functools import partial
from itertools import pairwise
from pathlib import Path

from asyncua import ua

from tests.agent.small_plant import lines, running, write_config
from tests.agent.test_gateway import events, near_minute, until
from tests.drivers.opcua_server import Plant, serving
from tests.servers import free_port

DEVICE = """[[device]]
name = "dcs"
driver = "opcua"
security = "none"
address = "opc.tcp://127.0.0.1:{port}"
mode = "subscribe"
interval_s = 0.2
timeout_s = 1.0
points = "points.csv"
"""
TABLE = (
    "equipment,quantity,address\nline1/pot{000..004},pot.current,nsu=urn:plant;s=Pot{000..004}.V\n"
)


async def test_a_subscription_goes_all_the_way_and_survives_its_server(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "points.csv").write_text(TABLE)
    path = write_config(tmp_path, DEVICE.format(port=port))
    async with running(path, wall_ns=near_minute(8.0)) as gateway:
        tally = gateway._desk.tally("dcs")

        def have(samples: int) -> bool:
            return tally.quality[0] >= samples

        async with serving(Plant(port, count=5)) as plant:
            await until(lambda: tally.quality[0] >= 5, 15)
            for value in (1.5, 2.5, 3.5):
                wanted = tally.quality[0] + 1
                await plant.put("Pot000.V", value, ua.VariantType.Double)
                await until(partial(have, wanted))
        await until(lambda: not tally.online, 15)
        async with serving(Plant(port, count=5)):
            good = tally.quality[0]
            await until(lambda: tally.online and tally.quality[0] >= good + 5, 20)
        await until(lambda: not tally.online, 15)
    raw, record = await lines(tmp_path, "raw"), await lines(tmp_path, "record")
    pots = [line for line in raw if "unit=pot000 current=" in line]
    shown = re.compile(r"current=(\S+) (\d+)$")
    found = [(float(m[1]), int(m[2])) for line in pots if (m := shown.search(line))]
    assert [value for value, _ in found if value in {1.5, 2.5, 3.5}] == [1.5, 2.5, 3.5]
    assert all(a < b for (_, a), (_, b) in pairwise(found))
    lost = events(record, "device_lost")
    assert len(lost) == 6, "absent at the start, stopped, stopped again: each told twice"
    assert [",end=" in line for line in lost] == [False, True] * 3
