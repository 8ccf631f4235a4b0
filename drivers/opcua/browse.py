"""
Walk an OPC UA server and draft a point table: every variable, what it is now, what it may be.

Browse and Read only, in bounded chunks, each node once however often it is referenced.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from asyncua import ua
from asyncua.ua.ua_binary import struct_from_binary

from drivers.opcua.gate import gated
from drivers.opcua.guess import Guess, guess
from drivers.opcua.nodes import NodeAddress, node_id, parse_address
from drivers.opcua.session import Session, general_buffer, read_request, translated

OBJECTS = "i=85"
SERVER_OBJECT = ua.NodeId(2253)  # diagnostics of the server itself: hundreds of nodes, no plant
CHUNK = 100
REFERENCES_MAX = 1000  # in one answer; the rest by BrowseNext
_HIERARCHICAL, _HAS_PROPERTY = ua.NodeId(33), ua.NodeId(46)
_KINDS = {
    ua.NodeIdType.String: "s",
    ua.NodeIdType.Guid: "g",
    ua.NodeIdType.ByteString: "b",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A variable. ``path`` are the browse names from the root down to its own."""

    node: Any
    path: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk found; ``cut`` says why it is not everything, or nothing."""

    variables: tuple[Found, ...]
    units: dict[Any, Any]  # node of a variable → node of its EngineeringUnits
    cut: str = ""


@dataclass(frozen=True, slots=True)
class Variable:
    """What a variable holds now, as text, and what it may be in our words."""

    address: NodeAddress
    path: tuple[str, ...]
    kind: str
    value: str
    elements: int  # 0: no array
    unit: str
    description: str
    guess: Guess

    def row(self) -> dict[str, str]:
        """A line of the point table. Unless wholly guessed it is commented out by a ``#``."""
        equipment, quantity = self.guess.equipment, self.guess.quantity
        ready = equipment is not None and quantity is not None and not self.elements
        where = str(equipment or "")
        array = f"[0] to [{self.elements - 1}]" if self.elements else ""
        what = " ".join(filter(None, [self.kind, array, self.value, self.unit]))
        more = self.description if self.description != self.path[-1] else ""
        return {
            "equipment": where if ready else f"# {where}".rstrip(),
            "quantity": quantity.name if quantity else "",
            "address": str(self.address) + ("[0]" if self.elements else ""),
            "unit": quantity.unit.value if quantity else "",
            "note": "; ".join(filter(None, [what, "/".join(self.path), more])),
        }


async def walk(
    session: Session, root: str = OBJECTS, *, depth: int = 20, most: int = 100_000
) -> Walk:
    """
    Variables below ``root``, breadth first; at most ``most`` nodes and ``depth`` levels.

    Raises ValueError or LookupError for a wrong root, DriverError when the server fails.
    """
    start = node_id(parse_address(root), session.namespaces)
    seen = {start, SERVER_OBJECT}
    variables: list[Found] = []
    units: dict[Any, Any] = {}
    level: list[tuple[Any, tuple[str, ...]]] = [(start, ())]
    size = min(CHUNK, session.limits["browse"] or CHUNK)
    for _ in range(depth):
        below = []
        for some in _chunks(level, size):
            answers = await _browse(session, [node for node, _ in some])
            for (above, path), references in zip(some, answers, strict=True):
                for reference in references:
                    node, name = _target(reference), str(reference.BrowseName.Name)
                    if reference.ReferenceTypeId == _HAS_PROPERTY:
                        if name == "EngineeringUnits":
                            units[above] = node
                        continue
                    if node in seen or getattr(reference.NodeId, "ServerIndex", None):
                        continue
                    seen.add(node)
                    below.append((node, (*path, name)))
                    if reference.NodeClass == ua.NodeClass.Variable:
                        label = reference.DisplayName.Text or ""
                        variables.append(Found(node, (*path, name), label))
            if len(seen) > most:
                return Walk(tuple(variables), units, f"stopped at {most} nodes")
        level = below
        if not level:
            return Walk(tuple(variables), units)
    return Walk(tuple(variables), units, f"stopped at level {depth}")


async def describe(session: Session, found: Walk) -> Iterator[Variable]:
    """Present value, type, unit and description of each variable, in the order of the walk."""
    nodes = [variable.node for variable in found.variables]
    kinds = await _read(session, nodes, ua.AttributeIds.DataType)
    texts = await _read(session, nodes, ua.AttributeIds.Description)
    values = await _read(session, nodes, ua.AttributeIds.Value)
    wanted = list(found.units)
    units = dict(
        zip(
            wanted,
            await _read(session, [found.units[node] for node in wanted], ua.AttributeIds.Value),
            strict=True,
        )
    )
    return (
        _variable(session, *each, units)
        for each in zip(found.variables, kinds, texts, values, strict=True)
    )


def _variable(
    session: Session,
    found: Found,
    kind: Any,
    text: Any,
    value: Any,
    units: dict[Any, Any],
) -> Variable:
    raw = value.Value.Value if value.Value is not None else None
    bad = value.StatusCode.name if value.StatusCode.value >> 31 else ""
    unit = units.get(found.node)
    unit = unit.Value.Value if unit is not None and unit.Value is not None else None
    described = text.Value.Value if text.Value is not None else None
    array = isinstance(raw, list)
    return Variable(
        _address(found.node, session.namespaces),
        found.path,
        _type_name(kind.Value.Value if kind.Value is not None else None, value),
        bad or ("" if array else _short(raw)),
        len(ua.flatten(raw)) if array else 0,
        getattr(getattr(unit, "DisplayName", None), "Text", None) or "",
        _short(getattr(described, "Text", None)),
        guess(found.path, found.label),
    )


def _short(raw: object) -> str:
    """On one line, at most 60 characters."""
    text = "" if raw is None else " ".join(str(raw).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _type_name(node: Any, value: Any) -> str:
    if isinstance(node, ua.NodeId) and node.NamespaceIndex == 0:
        try:
            return str(ua.ObjectIdNames[node.Identifier])
        except KeyError:
            pass
    return "" if value.Value is None else str(value.Value.VariantType.name)


def _address(node: Any, namespaces: Sequence[str]) -> NodeAddress:
    """With the namespace's URI, as a point table wants it."""
    import base64

    kind = _KINDS.get(node.NodeIdType, "i")
    raw = node.Identifier
    text = base64.b64encode(raw).decode() if isinstance(raw, bytes) else str(raw)
    number = node.NamespaceIndex
    known = 0 < number < len(namespaces)
    return NodeAddress(namespaces[number] if known else number, kind, text)


def _chunks(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def _target(reference: Any) -> Any:
    """ExpandedNodeId → NodeId, so that the same node is the same key."""
    node = reference.NodeId
    return ua.NodeId(node.Identifier, node.NamespaceIndex)


async def _browse(session: Session, nodes: Sequence[Any]) -> list[list[Any]]:
    """References of each node; a node that refuses has none."""
    request = ua.BrowseRequest()
    request.Parameters.RequestedMaxReferencesPerNode = REFERENCES_MAX
    for node in nodes:
        wanted = ua.BrowseDescription()
        wanted.NodeId, wanted.ReferenceTypeId = node, _HIERARCHICAL
        wanted.BrowseDirection = ua.BrowseDirection.Forward
        wanted.NodeClassMask = ua.NodeClass.Object | ua.NodeClass.Variable
        wanted.ResultMask = 63
        request.Parameters.NodesToBrowse.append(wanted)
    with translated("browse", session.timeout_s):
        answer = general_buffer(await session.ask(request))
        results = struct_from_binary(ua.BrowseResponse, answer).Results
    found = [list(result.References or ()) for result in results]
    for references, result in zip(found, results, strict=True):
        point = result.ContinuationPoint
        while point:
            point = await _browse_on(session, point, references)
    return found


async def _browse_on(session: Session, point: bytes, references: list[Any]) -> bytes:
    request = ua.BrowseNextRequest()
    request.Parameters.ReleaseContinuationPoints = False
    request.Parameters.ContinuationPoints = [point]
    with translated("browse next", session.timeout_s):
        answer = general_buffer(await session.ask(request))
        (result,) = struct_from_binary(ua.BrowseNextResponse, answer).Parameters.Results
    references += result.References or ()
    return bytes(result.ContinuationPoint or b"")


async def _read(session: Session, nodes: Sequence[Any], attribute: Any) -> list[Any]:
    """DataValues with everything in them: slower than reading values, but with types and texts."""
    found: list[Any] = []
    size = min(CHUNK, session.limits["read"] or CHUNK)
    for some in _chunks(nodes, size):
        with translated("read", session.timeout_s):
            answer = general_buffer(await session.ask(read_request(some, attribute)))
            found += struct_from_binary(ua.ReadResponse, answer).Results
    return found


async def endpoints(url: str, timeout_s: float) -> list[Any]:
    """What a server offers, asked without a session and without credentials."""
    client = gated(url, timeout_s)
    with translated(f"connect {url}", timeout_s):
        return list(await client.connect_and_get_server_endpoints())
