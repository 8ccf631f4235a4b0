"""Plants made of repeated units: point tables for the agent and register images for the PLC."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint16]  # variants × registers, big-endian
REGISTERS = {"float32": 2, "uint32": 2, "uint16": 1}


@dataclass(frozen=True, slots=True)
class Channel:
    """One quantity of a unit: where it swings, and how it is laid out in registers."""

    quantity: str
    base: float
    swing: float  # of a random walk; 0 = constant
    type: str = "float32"
    counter: bool = False


@dataclass(frozen=True, slots=True)
class Bank:
    """``count`` equal units one behind the other, from register 0 of a PLC."""

    area: str
    unit: str
    first: int
    count: int
    channels: tuple[Channel, ...]
    pad_to: int = 0

    @property
    def stride(self) -> int:
        return max(self.pad_to, sum(REGISTERS[channel.type] for channel in self.channels))

    @property
    def points(self) -> int:
        return self.count * len(self.channels)

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(
            f"{self.unit}{number:03d}" for number in range(self.first, self.first + self.count)
        )

    def offsets(self) -> Iterator[tuple[Channel, int]]:
        at = 0
        for channel in self.channels:
            yield channel, at
            at += REGISTERS[channel.type]


POT = (
    Channel("pot.voltage", 4.0, 0.05),
    Channel("pot.set_voltage", 4.0, 0.0),
    Channel("pot.target_voltage", 4.01, 0.0),
    Channel("pot.resistance", 12.0, 0.2),
    Channel("pot.noise_lf", 8.0, 2.0),
    Channel("pot.noise_hf", 12.0, 3.0),
    Channel("pot.current", 420.0, 0.5),
    Channel("pot.bath_temperature", 955.0, 1.0),
    Channel("pot.metal_level", 21.0, 0.05),
    Channel("pot.bath_level", 18.0, 0.05),
    Channel("pot.alf3_excess", 10.5, 0.05),
    Channel("pot.feed_interval", 60.0, 1.0),
    Channel("pot.anode_position", 25.0, 0.01),
    Channel("pot.feed_state", 1.0, 0.0, "uint16"),
    Channel("pot.anode_effect", 0.0, 0.0, "uint16"),
    Channel("pot.mode", 1.0, 0.0, "uint16"),
    Channel("pot.link", 0.0, 0.0, "uint16"),
    Channel("pot.feed_shots", 1000.0, 1.0, "uint32", counter=True),
    Channel("pot.anode_effect_count", 3.0, 0.0, "uint32", counter=True),
    Channel("meter.active_power", 1700.0, 5.0),  # the dictionary has 19 numbers of a pot
)

METER = (
    Channel("meter.energy_import", 1e6, 40.0, "uint32", counter=True),
    Channel("meter.energy_export", 1e3, 0.0, "uint32", counter=True),
    Channel("meter.reactive_import", 1e5, 9.0, "uint32", counter=True),
    Channel("meter.active_power", 3000.0, 10.0),
    Channel("meter.reactive_power", 500.0, 5.0),
    Channel("meter.power_factor", 0.95, 0.001),
    Channel("meter.voltage", 10_000.0, 5.0),
    Channel("meter.current", 180.0, 1.0),
    Channel("meter.frequency", 50.0, 0.005),
    Channel("heat.flow", 250.0, 2.0),
)

# 62 float32 = 124 of the 125 registers of one request.
BLOCK = tuple(
    Channel(name, base, swing)
    for name, base, swing in (
        ("pot.voltage", 4.0, 0.05),
        ("pot.current", 420.0, 0.5),
        ("pot.resistance", 12.0, 0.2),
        ("pot.noise_lf", 8.0, 2.0),
        ("pot.noise_hf", 12.0, 3.0),
        ("pot.bath_temperature", 955.0, 1.0),
        ("pot.metal_level", 21.0, 0.05),
        ("pot.bath_level", 18.0, 0.05),
        ("pot.alf3_excess", 10.5, 0.05),
        ("pot.feed_interval", 60.0, 1.0),
        ("pot.anode_position", 25.0, 0.01),
        ("pot.set_voltage", 4.0, 0.01),
        ("pot.target_voltage", 4.01, 0.01),
        ("meter.active_power", 1700.0, 5.0),
        ("meter.voltage", 400.0, 2.0),
        ("meter.current", 180.0, 1.0),
        ("meter.power_factor", 0.95, 0.001),
        ("meter.frequency", 50.0, 0.005),
        ("scrubber.pressure_drop", 1500.0, 10.0),
        ("scrubber.fan_current", 300.0, 3.0),
        ("scrubber.alumina_feed", 20_000.0, 50.0),
        ("stack.pm", 4.0, 0.2),
        ("stack.so2", 30.0, 1.0),
        ("stack.nox", 10.0, 0.5),
        ("stack.fluoride", 0.6, 0.05),
        ("stack.o2", 20.5, 0.05),
        ("stack.velocity", 14.0, 0.3),
        ("stack.temperature", 90.0, 0.5),
        ("stack.pressure", -50.0, 5.0),
        ("stack.humidity", 4.0, 0.1),
        ("stack.flow", 500_000.0, 500.0),
    )
)


def image(bank: Bank, variants: int, seed: int) -> Image:
    """Register contents as they change: a random walk inside the swing, counters only upwards."""
    random = np.random.default_rng(seed)
    registers = np.zeros((variants, bank.stride * bank.count), dtype=">u2")
    for channel, at in bank.offsets():
        for unit in range(bank.count):
            series = _series(channel, variants, random)
            start = unit * bank.stride + at
            width = REGISTERS[channel.type]
            registers[:, start : start + width] = _words(series, channel.type)
    return registers


def _series(
    channel: Channel, variants: int, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    if channel.counter:
        steps = random.poisson(channel.swing, variants) if channel.swing else np.zeros(variants)
        return channel.base + np.cumsum(steps, dtype=np.float64)
    walk = np.cumsum(random.normal(0, 0.1, variants))
    return np.asarray(channel.base + channel.swing * np.sin(walk), dtype=np.float64)


def _words(series: npt.NDArray[np.float64], kind: str) -> Image:
    typed = series.astype({"float32": ">f4", "uint32": ">u4", "uint16": ">u2"}[kind])
    return typed.view(">u2").reshape(len(series), -1)


COLUMNS = ("equipment", "quantity", "address", "type", "stride", "interval_s")


def write_modbus_table(path: Path, bank: Bank, *, clock: bool = False) -> None:
    """
    The point table of one bank, in the patterns an engineer would write.

    ``clock`` adds a counter in the two registers behind the bank (see ``benchmarks/plc.py``).
    """
    last = bank.first + bank.count - 1
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        equipment = f"{bank.area}/{bank.unit}{{{bank.first:03d}..{last:03d}}}"
        for channel, at in bank.offsets():
            address = f"holding:{at}"
            writer.writerow([equipment, channel.quantity, address, channel.type, bank.stride, ""])
        if clock:
            address = f"holding:{bank.stride * bank.count}"
            row = [f"{bank.area}/clock", "meter.energy_import", address, "uint32", "", ""]
            writer.writerow(row)


def write_opcua_table(path: Path, bank: Bank, uri: str) -> None:
    """The same bank as OPC UA nodes ``<area>/<unit>.<quantity>``."""
    last = bank.first + bank.count - 1
    numbers = f"{{{bank.first:03d}..{last:03d}}}"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for channel in bank.channels:
            name = f"{bank.area}/{bank.unit}{numbers}"
            node = f"nsu={uri};s={name}.{channel.quantity}"
            writer.writerow([name, channel.quantity, node, "", "", ""])
