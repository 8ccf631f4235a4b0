"""The served plant: its devices on loopback, one clock that moves it, its truth so far."""

import asyncio
import time
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from simulators.faults import Faults
from simulators.modbus import ModbusServer
from simulators.opcua import OpcUaServer
from simulators.plant import Plant, Scenario
from simulators.points import Device, modbus_devices
from simulators.registers import Bank
from simulators.truth import Ledger, pot_sums
from simulators.values import Believed, fill

BUS = "meters"  # name of the RTU-over-TCP bus for faults


class World:
    """
    A plant with its device servers while entered; ``run`` moves it once a second.

    ``addresses`` says where each device listens. ``accelerate`` makes plant time run faster.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        faults: Faults | None = None,
        accelerate: int = 1,
        opcua: bool = True,
    ) -> None:
        if not 1 <= accelerate <= 3600:
            raise ValueError(f"accelerate {accelerate}: 1 to 3600 times real time")
        self.plant = Plant(scenario)
        self.ledger = Ledger(self.plant)
        self.faults = faults or Faults(seed=scenario.seed)
        self.accelerate = accelerate
        self.believed = Believed(self.plant, self.faults)
        self.devices: list[Device] = []
        self.banks: dict[str, Bank] = {}
        self.servers: list[ModbusServer] = []
        self.addresses: dict[str, str] = {}
        self.opcua: OpcUaServer | None = None
        self._with_opcua = opcua
        self._stack = AsyncExitStack()

    @property
    def writes(self) -> int:
        """Write requests seen by all Modbus devices; a read-only gateway leaves it at 0."""
        return sum(server.statistics.writes for server in self.servers)

    async def __aenter__(self) -> Self:
        self._move()
        self.devices = modbus_devices(self.plant)
        self.banks = {device.name: device.bank() for device in self.devices}
        self._fill()
        async with AsyncExitStack() as stack:
            await self._serve(stack)
            self._stack = stack.pop_all()
        return self

    async def _serve(self, stack: AsyncExitStack) -> None:
        bus: dict[int, Bank] = {}
        for device in self.devices:
            bank = self.banks[device.name]
            if device.driver == "modbus-rtu-over-tcp":
                bus[device.unit] = bank
                continue
            server = ModbusServer({device.unit: bank}, name=device.name, faults=self.faults)
            self.servers.append(await stack.enter_async_context(server))
            self.addresses[device.name] = server.address
        server = ModbusServer(bus, name=BUS, framing="rtu", faults=self.faults)
        self.servers.append(await stack.enter_async_context(server))
        for device in self.devices:
            self.addresses.setdefault(device.name, server.address)
        if self._with_opcua:
            self.opcua = OpcUaServer(self.believed, self.faults)
            await stack.enter_async_context(self.opcua)
            self.addresses["dcs"] = self.opcua.address

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def run(self) -> None:
        """Moves the plant every full second until cancelled; a late second is made up."""
        due = time.monotonic()
        while True:
            due += 1
            await asyncio.sleep(max(due - time.monotonic(), 0))
            await self.tick()

    async def tick(self) -> None:
        """One second of the world, ``accelerate`` seconds of the plant."""
        self._move()
        self._fill()
        if self.opcua is not None:
            await self.opcua.refresh()

    def truth(self) -> dict[str, Any]:
        """What really happened since the world began."""
        return self.ledger.truth()

    def _move(self) -> None:
        left = float(self.accelerate)
        while left > 0:
            dt_s = min(left, 60.0)
            self.plant.step(dt_s)
            parts = [pot_sums(section, dt_s) for section in self.plant.sections]
            self.ledger.add(self.plant.states, parts, dt_s)
            left -= dt_s

    def _fill(self) -> None:
        for device in self.devices:
            fill(device, self.banks[device.name], self.believed)
