"""Modbus RTU on a pseudo-terminal pair, for clients that open a serial port."""

import asyncio
import os
import tty
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from simulators.faults import Faults
from simulators.framing import RtuConnection
from simulators.modbus import ModbusServer, Statistics
from simulators.registers import Bank


class _PtyTransport(asyncio.Transport):
    """Lets a connection write to the master end of a pseudo-terminal."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self.fd = fd

    def write(self, data: bytes | bytearray | memoryview) -> None:
        os.write(self.fd, data)

    def abort(self) -> None:
        """A serial line cannot be cut; the request simply stays unanswered."""


class SerialLine:
    """A Modbus RTU slave line on a pseudo-terminal; ``path`` is what a client opens."""

    def __init__(
        self, banks: Mapping[int, Bank], *, name: str = "serial", faults: Faults | None = None
    ) -> None:
        self.server = ModbusServer(banks, name=name, framing="rtu", faults=faults)
        self.path = ""
        self._fds: tuple[int, ...] = ()

    @property
    def statistics(self) -> Statistics:
        return self.server.statistics

    async def __aenter__(self) -> Self:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._fds = (master, slave)
        self.path = os.ttyname(slave)
        line = RtuConnection(self.server)
        line.connection_made(_PtyTransport(master))
        asyncio.get_running_loop().add_reader(master, self._readable, line, master)
        return self

    def _readable(self, line: RtuConnection, master: int) -> None:
        try:
            data = os.read(master, 4096)
        except BlockingIOError:
            return
        line.data_received(data)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._fds[0])
        for fd in self._fds:
            os.close(fd)
