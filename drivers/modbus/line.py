"""
One Modbus connection or serial bus: connect when needed, ask, and drop it when in doubt.

A reply that may belong to another question is never taken. On Modbus/TCP the transaction id tells.
An RTU reply names neither address nor question: after a timeout its question stays *open* for a
while, and nothing is asked whose reply would look the same (``avoid``, ``plan.unmistakable``).
"""

import asyncio
import termios
from dataclasses import dataclass

from drivers.config import SerialConfig, TlsConfig, host_and_port
from drivers.modbus.session import Manners, Session
from drivers.modbus.wire import ExceptionReply, Framing, Request, frame_of, late_reply
from drivers.model import NonsenseError, RefusedError, UnreachableError
from drivers.tls import TlsFiles, told_of_us, translate

OPEN_TIMEOUTS = 10  # a reply later than so many timeouts is thought impossible
TLS_S = 4.0  # for the handshake of a PLC that computes it in software
TLS_PORT = 802  # Modbus/TCP Security; 502 is for plain Modbus/TCP
PORT_S = 2.0  # a serial port opens at once; only a busy gateway, with many of them, needs a while
LATE_TARGET = 11  # a gateway's "no answer from the device": it may still come, and be passed on
QUIET_S = 0.02  # silence after which a line counts as drained: above a USB adapter's 16 ms latency


@dataclass(slots=True)
class Open:
    """A question without an answer: one may come late, until ``until`` on the loop's clock."""

    request: Request
    until: float
    given_up: bool = False  # the gateway said so: exceptions to other questions are not doubted


class Line:
    """
    The way to all devices that share one address. Never used by two tasks at once.

    ``framing`` "tcp" or "rtu"; with ``serial`` the address is a serial port, else ``host:port``.
    """

    def __init__(
        self,
        address: str,
        framing: Framing,
        serial: SerialConfig | None = None,
        tls: TlsConfig | None = None,
    ) -> None:
        self.address = address
        self.framing = framing
        self._serial = serial
        self._tls = tls
        port = TLS_PORT if tls else 502
        self._host, self._port = ("", 0) if serial else host_and_port(address, port)
        self._session: Session | None = None
        self._transaction = 0
        self._dirty = False  # RTU: bytes of an earlier question may still be under way
        self._open: list[Open] = []
        self._last: Request | None = None
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
            data = await session.exchange(frame, request, timeout_s)
        except ExceptionReply as reply:
            if request.unit not in self._open_units():
                if reply.code == LATE_TARGET and self.framing == "rtu":
                    self._remember(request, timeout_s, given_up=True)
                raise
            self._give_up(request, timeout_s)
            text = f"{request}: {reply}, or a late answer to an earlier question"
            raise NonsenseError(text) from None
        except TimeoutError:
            self._give_up(request, timeout_s)
            text = f"no answer from {self.address} {request} within {timeout_s:g} s"
            raise UnreachableError(text) from None
        except BaseException:  # a cancelled question is as open as one without an answer
            self._give_up(request, timeout_s)
            raise
        finally:
            manners.asked()
        self._last = request
        return data

    def avoid(self, unit: int, function: int) -> tuple[frozenset[int], ...]:
        """
        Lengths of replies (in octets) better not asked for now: the first set that can be obeyed.

        Empty on an undisturbed line. The first also avoids the length of the last reply.
        """
        if not self._open:
            return ()
        now = asyncio.get_running_loop().time()
        self._open = [question for question in self._open if question.until > now]
        mine = [q for q in self._open if (q.request.unit, q.request.pdu[0]) == (unit, function)]
        late = frozenset(question.request.octets for question in mine)
        last = self._last
        again = {last.octets} if last and (last.unit, last.pdu[0]) == (unit, function) else set()
        return late | again, late

    def _open_units(self) -> set[int]:
        return {question.request.unit for question in self._open if not question.given_up}

    def late(self, data: bytes, request: Request) -> int:
        """Length of a late reply at the start of ``data``, its question then closed."""
        for question in self._open:
            head = question.request.head
            if head == request.head:
                continue
            passed = late_reply(data, head, exceptions=head[0] != request.unit)
            if passed > 0:
                self._open.remove(question)
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
        if self.framing == "rtu":
            self._remember(request, timeout_s)
        self.drop()

    def _remember(self, request: Request, timeout_s: float, *, given_up: bool = False) -> None:
        """Of like questions only the newest is kept, so a dead line's list stays short."""
        until = asyncio.get_running_loop().time() + OPEN_TIMEOUTS * timeout_s
        self._open = [question for question in self._open if question.request != request]
        self._open.append(Open(request, until, given_up))

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
        if self._serial is not None:
            timeout_s = max(timeout_s, PORT_S)
        if self._tls is not None:
            timeout_s = max(timeout_s, TLS_S)
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
            if self._tls is not None:
                self._explain(error, self._tls)
            raise UnreachableError(f"cannot reach {self.address}: {_why(error)}") from None
        except BaseException:
            session.close()
            raise
        self._session = session
        self.sessions += 1
        return session

    async def _open_tcp(self, session: Session) -> None:
        loop = asyncio.get_running_loop()
        if self._tls is None:
            await loop.create_connection(lambda: session, self._host, self._port)
            return
        try:
            context = tls_files(self._tls).context()  # anew: renewed files count
        except OSError as error:
            raise RefusedError(f"{self.address}: [device.tls]: {error}") from None
        name = self._tls.server_name or self._host
        await loop.create_connection(
            lambda: session, self._host, self._port, ssl=context, server_hostname=name
        )

    def _explain(self, error: OSError, tls: TlsConfig) -> None:
        """Raises where the certificate of one side is the trouble."""
        name = tls.server_name or self._host
        translate(error, self.address, f"TLS ≥ {tls.tls_min}, {name}, {tls.ca}")
        if ours := told_of_us(error):
            raise RefusedError(f"{self.address}: {ours}") from None

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


def tls_files(tls: TlsConfig) -> TlsFiles:
    """What its context is made from."""
    return TlsFiles(tls.ca, tls.cert, tls.key, tls.crl, tls.tls_min)


def _why(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
