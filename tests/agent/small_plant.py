"""A real Modbus server with a few registers, and the gateway.toml that reads it."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent.batches.log import BatchLog
from agent.edge.config import load_gateway
from agent.edge.gateway import Gateway
from simulators.modbus import ModbusServer
from simulators.registers import Bank
from tests.servers import free_port

HEAD = (
    "equipment,quantity,address,type,unit,interval_s,counter_modulus,counter_max_per_s,original\n"
)
ROWS = (
    "line1/pot001,pot.voltage,holding:0,float32,V,,,,\n"
    "line1/pot001,pot.current,holding:2,uint16,kA,,,,\n"
    "line1/ac1,meter.energy_import,holding:10,uint32,kWh,,4294967296,1000,yes\n"
)


def bank() -> Bank:
    made = Bank(holding=100)
    made.put("holding", 0, struct.pack(">f", 4.25))
    made.put("holding", 2, struct.pack(">H", 350))
    made.put("holding", 10, struct.pack(">I", 5000))
    return made


def device(name: str, port: int, table: str = "points.csv", more: str = "") -> str:
    return (
        f'[[device]]\nname = "{name}"\ndriver = "modbus-tcp"\naddress = "127.0.0.1:{port}"\n'
        f'interval_s = 0.1\ntimeout_s = 0.3\npoints = "{table}"\n{more}\n'
    )


def write_config(folder: Path, devices: str, broker_port: int | None = None) -> Path:
    path = folder / "gateway.toml"
    path.write_text(
        'plant = "demo"\ngateway = "gw1"\ndata_dir = "data"\n'
        f'[mqtt]\nurl = "mqtt://127.0.0.1:{broker_port or free_port()}"\n'
        '[log]\nbatch_interval_s = 0.1\n[health]\nlisten = "127.0.0.1:0"\n' + devices
    )
    return path


def write_table(folder: Path, name: str = "points.csv", rows: str = ROWS) -> None:
    (folder / name).write_text(HEAD + rows)


@asynccontextmanager
async def running(path: Path, **more: object) -> AsyncIterator[Gateway]:
    """A started gateway, stopped gracefully on leaving."""
    gateway = Gateway(load_gateway(path), **more)  # type: ignore[arg-type]
    task = asyncio.create_task(gateway.run())
    waiting = asyncio.create_task(gateway.started.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    waiting.cancel()
    if task.done():
        task.result()
    try:
        yield gateway
    finally:
        gateway.stop()
        async with asyncio.timeout(10):
            await task


async def lines(folder: Path, stream: str) -> list[str]:
    """Every line of a stream's log, the batches' own lines too."""
    async with BatchLog(folder / "data", stream=stream) as log:
        batches = await log.read_from(1, 1 << 30)
        return [line for batch in batches for line in batch.payload.decode().split("\n")]


def server(name: str = "plc", *, port: int = 0) -> ModbusServer:
    return ModbusServer({1: bank()}, name=name, port=port)
