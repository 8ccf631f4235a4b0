"""The points of a group as an OPC UA server sees them: distinct nodes, and who wants which."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from drivers.decode import whole_inverse
from drivers.model import Codes, ConfigError, Floats, Group, Indices, Quality
from drivers.opcua.binary import Value
from drivers.opcua.nodes import NodeAddress, node_id, parse_address
from drivers.opcua.values import number, status_name
from drivers.tables import in_column

Target = tuple[int, int | None]  # position in group.points, element of the node's array


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What never changes for a group: addresses, scaling, codes for "no value"."""

    group: Group
    addresses: tuple[NodeAddress, ...]
    divisor: Floats  # of a scale 0.001: divided by 1000 as the manual says, correctly rounded
    factor: Floats
    offset: Floats
    codes: dict[int, frozenset[float]]
    texts: frozenset[int]  # points of a text quantity, whose only number is 0

    @classmethod
    def of(cls, group: Group) -> Self:
        """Raises ConfigError with one line per address that is none."""
        addresses, problems = [], []
        for point in group.points:
            try:
                addresses.append(parse_address(point.address))
            except ValueError as error:
                problems.append(f"{point.where or point.id}: {in_column('address')}: {error}")
        if problems:
            raise ConfigError(problems)
        points = group.points
        return cls(
            group,
            tuple(addresses),
            np.array([whole_inverse(point.scale) or 1.0 for point in points]),
            np.array([1.0 if whole_inverse(point.scale) else point.scale for point in points]),
            np.array([point.offset for point in points]),
            {
                i: _codes(point.not_available)
                for i, point in enumerate(points)
                if point.not_available
            },
            frozenset(i for i, p in enumerate(points) if p.quantity.low == p.quantity.high),
        )

    def scaled(self, values: Floats, quality: Codes, index: Indices | None = None) -> Floats:
        """Raw values to the unit of the quantity; the device's own codes become NOT_AVAILABLE."""
        if self.codes:
            pairs = enumerate(range(len(values)) if index is None else index.tolist())
            for k, i in pairs:
                if i in self.codes and values[k] in self.codes[i]:
                    values[k], quality[k] = np.nan, Quality.NOT_AVAILABLE
        some = slice(None) if index is None else index
        with np.errstate(over="ignore"):
            return values / self.divisor[some] * self.factor[some] + self.offset[some]


def _codes(codes: Iterable[float]) -> frozenset[float]:
    """As a Double and as a Float would send them: -9999.9 in a Float is another number."""
    return frozenset(x for code in codes for x in (code, float(np.float32(code))))


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """A plan on one session: ``targets[n]`` are the points that ``nodes[n]`` feeds."""

    nodes: tuple[Any, ...]
    targets: tuple[tuple[Target, ...], ...]
    unknown: dict[int, str]  # points whose namespace this server has not, and its name

    @classmethod
    def of(
        cls, plan: Plan, namespaces: Sequence[str], literal: frozenset[NodeAddress] = frozenset()
    ) -> Self:
        """``literal``: addresses whose ``[n]`` is part of the name on this server."""
        wanted: dict[Any, list[Target]] = defaultdict(list)
        unknown = {}
        for i, address in enumerate(plan.addresses):
            meant = address.literal if address in literal else address
            try:
                wanted[node_id(meant, namespaces)].append((i, meant.element))
            except LookupError as error:
                unknown[i] = str(error)
        return cls(tuple(wanted), tuple(tuple(targets) for targets in wanted.values()), unknown)


@dataclass(slots=True)
class Samples:
    """Samples as they are decoded, in the order of arrival; ``reasons`` collects what is bad."""

    plan: Plan
    index: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    quality: list[int] = field(default_factory=list)
    source_ns: list[int] = field(default_factory=list)
    server_ns: list[int] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    reasons: dict[str, list[int]] = field(default_factory=dict)

    def add(self, targets: tuple[Target, ...], value: Value) -> None:
        """One answer of one node, for all points it feeds."""
        raw, status, source_ns, server_ns = value
        for i, element in targets:
            x, quality = number(raw, status, element)
            if quality == Quality.UNDECODABLE and i in self.plan.texts:
                x, quality = self._text(raw, element, quality)
            self.index.append(i)
            self.values.append(x)
            self.quality.append(quality)
            self.source_ns.append(source_ns)
            self.server_ns.append(server_ns)
            if status >> 31:
                self.reasons.setdefault(status_name(status), []).append(i)

    def _text(self, raw: object, element: int | None, quality: int) -> tuple[float, int]:
        if element is not None and isinstance(raw, list | tuple):
            raw = raw[element]
        if not isinstance(raw, str):
            return float("nan"), quality
        self.texts[len(self.index)] = raw
        return 0.0, int(Quality.GOOD)


def reason(plan: Plan, found: Iterable[tuple[str, Sequence[int]]]) -> str:
    """``BadNodeIdUnknown: line1/pot001 pot.voltage and 2 more``"""
    parts = []
    for what, points in found:
        more = f" and {len(set(points)) - 1} more" if len(set(points)) > 1 else ""
        parts.append(f"{what}: {plan.group.points[points[0]].id}{more}")
    return "; ".join(parts)
