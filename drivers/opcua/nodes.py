"""
Addresses of OPC UA points: ``nsu=urn:plant;s=Pot001.V``, ``i=2258``, array element ``…[3]``.

Write the namespace by its URI: its number may change whenever the server starts.
"""

import base64
import binascii
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drivers.language import say

_FORM = re.compile(
    r"(?:nsu=(?P<uri>.+?);|ns=(?P<index>\d{1,5});)?(?P<kind>[isgb])=(?P<identifier>.+)", re.DOTALL
)
_ELEMENT = re.compile(r"(.+)\[(\d{1,7})\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """A node, and which element of its array is meant; ``identifier`` as written after ``s=``."""

    namespace: str | int  # URI, or the number of `ns=`
    kind: str  # i, s, g or b
    identifier: str
    element: int | None = None

    @property
    def literal(self) -> "NodeAddress":
        """The same text with ``[3]`` read as a part of the name: some servers name nodes so."""
        if self.element is None:
            return self
        name = f"{self.identifier}[{self.element}]"
        return NodeAddress(self.namespace, self.kind, name)

    def __str__(self) -> str:
        uri = isinstance(self.namespace, str)
        space = f"nsu={self.namespace};" if uri else f"ns={self.namespace};"
        element = "" if self.element is None else f"[{self.element}]"
        return f"{'' if self.namespace == 0 else space}{self.kind}={self.identifier}{element}"


def parse_address(text: str) -> NodeAddress:
    """Raises ValueError that says what to write instead."""
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise ValueError(
            say(
                f"{text!r} 不是 OPC UA 节点地址；请写 nsu=<命名空间 URI>;s=<名称>（或 ;i=<数字>、"
                ";g=<GUID>、;b=<base64>），数组元素在后面加 [n]",
                f"{text!r} is no OPC UA node id; write nsu=<namespace URI>;s=<name> "
                "(or ;i=<number>, ;g=<guid>, ;b=<base64>), with [n] behind it for an array element",
            )
        )
    uri, index, kind, identifier = found.group("uri", "index", "kind", "identifier")
    element: int | None = None
    if indexed := _ELEMENT.fullmatch(identifier):
        identifier, element = indexed[1], int(indexed[2])
    try:
        _identifier(kind, identifier)
    except (ValueError, binascii.Error):
        what = {"i": say("数字", "a number"), "g": "GUID", "b": "base64"}[kind]
        raise ValueError(
            say(
                f"{text!r}：{kind}= 后面应为 {what}，而不是 {identifier!r}",
                f"{text!r}: behind {kind}= belongs {what}, not {identifier!r}",
            )
        ) from None
    # OPC 10000-6 §5.3.1.11: ';' and '%' of a URI are written %3B and %25
    space = (
        uri.replace("%3B", ";").replace("%3b", ";").replace("%25", "%") if uri else int(index or 0)
    )
    return NodeAddress(space, kind, identifier, element)


def node_id(address: NodeAddress, namespaces: Sequence[str]) -> Any:
    """
    The node id as this server numbers its namespaces today.

    Raises LookupError when the server does not know the namespace.
    """
    from asyncua import ua

    if isinstance(address.namespace, int):
        number = address.namespace
    elif address.namespace in namespaces:
        number = list(namespaces).index(address.namespace)
    else:
        raise LookupError(f"namespace {address.namespace} is not on this server")
    return ua.NodeId(_identifier(address.kind, address.identifier), number)


def _identifier(kind: str, text: str) -> int | str | uuid.UUID | bytes:
    if kind == "i":
        number = int(text)
        if not 0 <= number < 2**32:
            raise ValueError(text)
        return number
    if kind == "g":
        return uuid.UUID(text)
    if kind == "b":
        return base64.b64decode(text, validate=True)
    return text
