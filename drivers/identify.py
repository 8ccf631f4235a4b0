"""Who a Modbus device says it is: read device identification, function 43/14. It only reads."""

from dataclasses import dataclass

from drivers.config import DeviceConfig
from drivers.modbus.line import Line
from drivers.modbus.session import manners_of
from drivers.modbus.wire import ExceptionReply, identify_request
from drivers.model import NonsenseError, UnreachableError

BASIC, REGULAR = 1, 2  # which objects are asked for, and how much a device has (conformity level)
ASKED_MOST = 10  # requests; an answer that does not fit one reply goes on in the next
_SILENT_GATEWAY = frozenset({10, 11})


@dataclass(frozen=True, slots=True)
class Identity:
    """The texts of a device, empty where it gives none."""

    vendor: str = ""
    product_code: str = ""
    revision: str = ""
    url: str = ""
    product: str = ""
    model: str = ""
    application: str = ""


_FIELDS = tuple(Identity.__dataclass_fields__)  # in the order of the object ids


async def identify(device: DeviceConfig) -> Identity | None:
    """
    What the device tells; None when it answers that it has no identification.

    Modbus/TCP. Raises DriverError when nobody answers, or nonsense.
    """
    line, manners = Line(device.address, "tcp", tls=device.tls), manners_of(device)
    objects: dict[int, str] = {}
    level, first = BASIC, 0
    try:
        for _ in range(ASKED_MOST):
            answer = await line.ask(identify_request(device.unit, level, first), manners)
            conformity, further, found = _read(answer)
            objects |= found
            if further:
                first = further
            elif level == BASIC and conformity & 0x7F >= REGULAR:
                level, first = REGULAR, len(_FIELDS[:3])
            else:
                break
    except ExceptionReply as reply:
        if reply.code in _SILENT_GATEWAY:
            raise UnreachableError(f"unit {device.unit} at {device.address}: {reply}") from None
        if not objects:
            return None
    finally:
        line.close()
    return Identity(**{name: objects.get(i, "") for i, name in enumerate(_FIELDS)})


def _read(answer: bytes) -> tuple[int, int, dict[int, str]]:
    """Conformity level, next object id when there is more (else 0), texts by object id."""
    if len(answer) < 5:
        raise NonsenseError("identification: too short an answer", answer)
    _, conformity, more, further, count = answer[:5]
    found: dict[int, str] = {}
    at = 5
    for _ in range(count):
        end = at + 2 + (answer[at + 1] if at + 1 < len(answer) else 0)
        if at + 2 > len(answer) or end > len(answer):
            raise NonsenseError("identification: an object runs beyond the answer", answer)
        found[answer[at]] = _text(answer[at + 2 : end])
        at = end
    return conformity, further if more == 0xFF and further > max(found, default=-1) else 0, found


def _text(octets: bytes) -> str:
    """ASCII by the standard; makers here also send UTF-8 or GBK. Nothing unprintable."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("gb18030", "replace")
    return "".join(letter for letter in text if letter.isprintable()).strip()
