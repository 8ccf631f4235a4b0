"""What gateway and witness tell each other about checkpoints, as JSON: read strictly. Pure."""

import json
from dataclasses import dataclass

from agent.evidence.growth import Span
from agent.evidence.note import Head, Note, NoteError, b64, read_head, read_note, unb64
from agent.evidence.tree import whole_subtrees

MOST_BYTES = 512 << 10
_FORM = 1
_MOST_HEADS = 64


class MessageError(ValueError):
    """Bytes that are no such message."""


@dataclass(frozen=True, slots=True)
class SaidHead:
    """One log. ``wanted`` and ``refused`` are said by the witness, ``spans`` by the gateway."""

    note: Note | None
    origin: str
    spans: tuple[Span, ...] = ()
    wanted: tuple[tuple[int, int], ...] = ()
    refused: str = ""

    @property
    def head(self) -> Head:
        """Only of a message that has a note."""
        assert self.note is not None  # noqa: S101 - for the type checker
        return read_head(self.note.text)


@dataclass(frozen=True, slots=True)
class Message:
    """Payload of ``…/checkpoint`` and of ``…/cosignature``."""

    keys: tuple[str, ...]
    heads: tuple[SaidHead, ...]

    def payload(self) -> bytes:
        said = {
            "form": _FORM,
            "keys": list(self.keys),
            "heads": [
                {"origin": each.origin, "note": each.note.whole if each.note else None}
                | ({"spans": [_packed(span) for span in each.spans]} if each.spans else {})
                | ({"wanted": each.wanted} if each.wanted else {})
                | ({"refused": each.refused} if each.refused else {})
                for each in self.heads
            ],
        }
        return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _packed(span: Span) -> list[object]:
    first, last, hashes = span
    return [first, last, [b64(found) for found in hashes]]


def read_message(payload: bytes) -> Message:
    """Raises MessageError; says nothing about signatures."""
    if len(payload) > MOST_BYTES:
        raise MessageError(f"{len(payload)} bytes, at most {MOST_BYTES} are read")
    try:
        said = json.loads(payload)
        if said["form"] != _FORM or len(said["heads"]) > _MOST_HEADS:
            raise MessageError("a form that is not known here")
        keys = tuple(str(each) for each in said["keys"])
        return Message(keys, tuple(_read_head(each) for each in said["heads"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MessageError(f"no message about checkpoints: {error}") from None


def _read_head(said: dict[str, object]) -> SaidHead:
    whole, spans, wanted = said["note"], said.get("spans", []), said.get("wanted", [])
    note = read_note(str(whole)) if whole is not None else None
    origin = str(said["origin"])
    if note is not None and read_head(note.text).origin != origin:
        raise NoteError("the note is of another log")
    if not isinstance(spans, list) or not isinstance(wanted, list):
        raise MessageError("spans and wanted are lists")
    return SaidHead(
        note,
        origin,
        tuple(_read_span(each) for each in spans),
        tuple((_number(first), _number(last)) for first, last in wanted),
        str(said.get("refused", ""))[:400],
    )


def _read_span(said: list[object]) -> Span:
    first, last, hashes = said
    span = _number(first), _number(last), tuple(unb64(str(each)) for each in _listed(hashes))
    parts = list(whole_subtrees(span[0] - 1, span[1]))
    if len(parts) != len(span[2]) or any(len(each) != 32 for each in span[2]):
        raise MessageError("a span with the wrong number of hashes")
    return span


def _listed(said: object) -> list[object]:
    if not isinstance(said, list):
        raise MessageError(f"{said!r} is no list")
    return said


def _number(said: object) -> int:
    if not isinstance(said, int) or isinstance(said, bool) or not 1 <= said < 2**62:
        raise MessageError(f"{said!r} is no batch number")
    return said
