"""What the historian answers on ``…/receipt``: what it holds, or what it lacks; read strictly."""

import json
from dataclasses import dataclass

_MOST_BYTES = 1024


class AnswerError(ValueError):
    """These bytes are no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one stream's ``log``: batches ``first`` to ``upto`` are durable there, or ``again``."""

    stream: str
    log: str
    first: int
    upto: int | None  # the last one held; ``digest`` is its own, in hex, where it is said
    again: int | None  # the first one to send again
    digest: object


def read_answer(payload: bytes) -> Answer:
    """Raises AnswerError for what is cut, of another form, or says neither."""
    try:
        said = json.loads(payload[:_MOST_BYTES])
        first, upto, again = (_count(said, name) for name in ("from", "upto", "resend_from"))
        answer = Answer(said["stream"], said["log"], first or 1, upto, again, said.get("digest"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise AnswerError(repr(payload[:120])) from error
    if not isinstance(answer.stream, str) or (upto is None and again is None):
        raise AnswerError(repr(payload[:120]))
    return answer


def _count(said: dict[str, object], name: str) -> int | None:
    value = said.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{name}: {value!r}")
    return value
