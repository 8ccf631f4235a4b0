"""A gateway that was not given the processor for a while: answers in time count, nothing leaks."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import numpy.typing as npt
import pytest

from drivers.config import DeviceConfig
from drivers.modbus.driver import ModbusDriver
from drivers.model import Equipment, Group, Point, UnreachableError
from drivers.quantities import quantities
from tests.drivers.opponent import Opponent
from tests.drivers.test_modbus_faults import LOOPS, device_at, expected, points_of

ANSWER_S, TIMEOUT_S, STALL_S = 0.01, 0.05, 0.1
READS = 5


class Device(threading.Thread):
    """Rings a bell when it is asked, then answers in good time, whatever the test's loop does."""

    def __init__(self, ringer: socket.socket) -> None:
        super().__init__()
        self.ringer = ringer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.config = DeviceConfig.model_validate(
            {
                "name": "plc",
                "driver": "modbus-tcp",
                "address": f"127.0.0.1:{self.listener.getsockname()[1]}",
                "timeout_s": TIMEOUT_S,
                "points": "p.csv",
            }
        )

    def run(self) -> None:
        client, _ = self.listener.accept()
        with client, self.listener, suppress(ConnectionError):
            while request := client.recv(12):
                self.ringer.send(b"!")
                time.sleep(ANSWER_S)
                client.sendall(request[:4] + b"\0\5" + request[6:8] + b"\2" + request[8:10])


@pytest.fixture
def bell() -> Iterator[tuple[socket.socket, Device]]:
    heard, ringer = socket.socketpair()
    device = Device(ringer)
    device.start()
    with heard, ringer:
        yield heard, device
        device.join()


def stall(heard: socket.socket) -> None:
    """In the middle of the loop's work with its sockets, longer than the device may take."""
    heard.recv(1)
    time.sleep(STALL_S)


@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_that_is_there_is_read_before_the_timeout_is_believed(
    bell: tuple[socket.socket, Device], loop: str
) -> None:
    heard, device = bell
    point = Point(Equipment("l", "p"), quantities()["pot.voltage"], "plc", "holding:7", "uint16")
    group = Group("plc", 1.0, (point,))

    async def read() -> list[list[float]]:
        asyncio.get_running_loop().add_reader(heard, stall, heard)
        async with ModbusDriver((device.config,), (group,)) as driver:
            return [(await driver.read(group, 0)).values.tolist() for _ in range(READS)]

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        assert runner.run(read()) == [[7.0]] * READS


@pytest.mark.parametrize("loop", LOOPS)
def test_a_serial_port_that_opened_too_late_is_free_again(
    loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it stays locked by its own process, and the device is lost until a restart."""

    async def read() -> npt.NDArray[np.float64]:
        async with Opponent("serial") as opponent:
            hurried = device_at(opponent).model_copy(update={"timeout_s": 1e-6})
            patient = hurried.model_copy(update={"timeout_s": 1.0})
            for _ in range(3):
                async with ModbusDriver((hurried,), (group,)) as driver:
                    with pytest.raises(UnreachableError):
                        await driver.read(group, 0)
            await asyncio.sleep(0.01)
            async with ModbusDriver((patient,), (group,)) as driver:
                return (await driver.read(group, 0)).values

    monkeypatch.setattr("drivers.modbus.line.PORT_S", 0.0)
    group = Group("plc", 1.0, tuple(points_of("plc")))
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        assert runner.run(read()).tolist() == expected(group.points, 1, 0)
