"""
One Modbus connection or serial bus: connect when needed, ask, and drop it when in doubt.

A reply that may belong to another question is never taken. On Modbus/TCP the transaction id tells;
an RTU reply names neither address nor question, so after a timeout the unit is *doubtful* until a
question with a reply of another length was answered (``prove``): what is answered in order and came
behind every late reply proves the line.
"""

import asyncio
import termios
from collections.abc import Iterable
from dataclasses import dataclass

from drivers.config import SerialConfig
from drivers.modbus_session import Manners, Session
from drivers.modbus_wire import ExceptionReply, Framing, Request, frame_of, late_reply
from drivers.model import NonsenseError, UnreachableError

DOUBT_S = 30.0  # a reply later than this after its timeout is thought impossible
QUIET_S = 0.02  # silence after which a line counts as drained: above a USB adapter's 16 ms latency


@dataclass(frozen=True, slots=True)
class Doubt:
    """A request whose reply has not come and may come late, until ``until`` on the loop's clock."""

    request: Request
    until: float


class Line:
    """
    The way to all devices that share one address. Never used by two tasks at once.

    ``framing`` "tcp" or "rtu"; with ``serial`` the address is a serial port, else ``host:port``.
    """

    def __init__(self, address: str, framing: Framing, serial: SerialConfig | None = None) -> None:
        self.address = address
        self.framing = framing
        self._serial = serial
        self._host, self._port = ("", 0) if serial else host_and_port(address)
        self._session: Session | None = None
        self._transaction = 0
        self._dirty = False  # RTU: bytes of an earlier question may still be under way
        self._doubts: list[Doubt] = []
        self.sessions = 0  # connections made so far

    async def ask(self, request: Request, manners: Manners) -> bytes:
        """
        The data bytes of the reply, exactly as many as asked for.

        Raises UnreachableError or NonsenseError, the session then dropped; ExceptionReply, the
        session then still good.
        """
        timeout_s = manners.timeout_s
        session = await self._ready(timeout_s)
        await manners.turn()
        self._transaction = self._transaction % 65535 + 1
        frame = frame_of(request, self.framing, self._transaction)
        try:
            return await session.exchange(frame, request, timeout_s)
        except ExceptionReply:
            raise
        except TimeoutError:
            self._give_up(request, timeout_s)
            text = f"no answer from {self.address} {request} within {timeout_s:g} s"
            raise UnreachableError(text) from None
        except BaseException:  # a cancelled question is as open as one without an answer
            self._give_up(request, timeout_s)
            raise
        finally:
            manners.asked()

    def doubtful(self, unit: int) -> bool:
        """True while a late reply of that unit could be taken for another: ``prove`` first."""
        if not self._doubts:
            return False
        now = asyncio.get_running_loop().time()
        self._doubts = [doubt for doubt in self._doubts if doubt.until > now]
        return any(doubt.request.unit == unit for doubt in self._doubts)

    async def prove(self, unit: int, candidates: Iterable[Request], manners: Manners) -> None:
        """
        Ask a question whose reply cannot be mistaken for one still open; raises as ``ask`` does.

        An exception reply may answer it or the oldest open question: that one is settled either
        way, the question itself is then open, and another is tried.
        """
        kept = list(candidates)
        for _ in range(3):
            mine = [doubt for doubt in self._doubts if doubt.request.unit == unit]
            if not mine:
                return
            heads = {doubt.request.head for doubt in mine}
            fence = next((request for request in kept if request.head not in heads), None)
            if fence is None:
                break
            try:
                await self.ask(fence, manners)
            except ExceptionReply:
                self._doubts.remove(mine[0])
                self._doubt(fence, manners.timeout_s)
            else:
                self._doubts = [doubt for doubt in self._doubts if doubt.request.unit != unit]
                return
        raise UnreachableError(
            f"unit {unit} at {self.address}: late replies cannot be told from new ones yet; "
            f"it is left alone for at most {DOUBT_S:g} s"
        )

    def late(self, data: bytes, request: Request) -> int:
        """Length of a late reply at the start of ``data``, settled by it; as ``late_reply``."""
        for doubt in self._doubts:
            head = doubt.request.head
            if head == request.head:
                continue
            passed = late_reply(data, head, exceptions=doubt.request.unit != request.unit)
            if passed > 0:
                self._doubts.remove(doubt)
            if passed:
                return passed
        return 0

    def drop(self) -> None:
        """End the session. A serial port stays open, but is drained before the next question."""
        self._dirty = self.framing == "rtu"
        if self._session is not None and (self._serial is None or self._session.lost):
            self.close()

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _give_up(self, request: Request, timeout_s: float) -> None:
        self._doubt(request, timeout_s)
        self.drop()

    def _doubt(self, request: Request, timeout_s: float) -> None:
        if self.framing == "rtu":
            until = asyncio.get_running_loop().time() + DOUBT_S + timeout_s
            self._doubts.append(Doubt(request, until))

    async def _ready(self, timeout_s: float) -> Session:
        """The session, connected and silent."""
        session = self._session
        if session is not None and (session.lost or session.stray):
            self.drop()
            session = self._session
        if session is None:
            session = await self._connect(timeout_s)
        if self._dirty:
            await self._drain(session, timeout_s)
        return session

    async def _connect(self, timeout_s: float) -> Session:
        session = Session(self.framing, self.late)
        try:
            async with asyncio.timeout(timeout_s):
                if self._serial is None:
                    await self._open_tcp(session)
                else:
                    await self._open_port(session, self._serial)
                await session.made
        except TimeoutError:
            session.close()
            text = f"no connection to {self.address} within {timeout_s:g} s"
            raise UnreachableError(text) from None
        except OSError as error:
            session.close()
            raise UnreachableError(f"cannot reach {self.address}: {_why(error)}") from None
        except BaseException:
            session.close()
            raise
        self._session = session
        self.sessions += 1
        return session

    async def _open_tcp(self, session: Session) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: session, self._host, self._port)

    async def _open_port(self, session: Session, serial: SerialConfig) -> None:
        from pymodbus.transport.serialtransport import create_serial_connection

        try:
            await create_serial_connection(
                asyncio.get_running_loop(),
                lambda: session,
                self.address,
                baudrate=serial.baudrate,
                bytesize=serial.bytesize,
                parity=serial.parity,
                stopbits=serial.stopbits,
                timeout=0,
            )
        except (ValueError, termios.error) as error:
            raise UnreachableError(f"cannot open {self.address}: {error}") from None

    async def _drain(self, session: Session, timeout_s: float) -> None:
        """Read away what still arrives, until the line is silent."""
        loop = asyncio.get_running_loop()
        quiet_s = QUIET_S
        if self._serial is not None:
            quiet_s = max(quiet_s, 4 * 12 / self._serial.baudrate)  # 3.5 characters and more
        end = loop.time() + timeout_s + quiet_s
        while True:
            session.stray = 0
            await asyncio.sleep(quiet_s)
            if session.lost:
                self.drop()
                raise UnreachableError(f"{self.address}: {session.lost}")
            if not session.stray:
                break
            if loop.time() > end:
                raise NonsenseError(f"{self.address} does not fall silent: another master on it?")
        self._dirty = False


def host_and_port(address: str) -> tuple[str, int]:
    """``192.0.2.10:502``, ``[2001:db8::1]:502``, ``plc1`` (port 502); ValueError says how."""
    host, colon, port = address.rpartition(":")
    bare_ipv6 = address.count(":") > 1 and not address.startswith("[")
    if not colon or bare_ipv6 or address.endswith("]"):
        host, port = address, "502"
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"address {address!r}: write host:port, e.g. 192.0.2.10:502")
    return host, int(port)


def _why(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
