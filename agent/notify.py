"""Words to systemd: READY, RELOADING, STOPPING, WATCHDOG; and logs as its journal likes them."""

import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

LEVELS = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}


def notify(message: str) -> None:
    """Tell the service manager, if there is one (``NOTIFY_SOCKET``)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.connect(address)
            sender.send(message.encode())
        except OSError as error:
            logging.getLogger(__name__).warning("cannot notify the service manager: %s", error)


def reloading() -> None:
    """Between this and ``notify("READY=1")`` a reload is under way."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_s() -> float | None:
    """Seconds between two signs of life, half of what the service manager allows."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    ours = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(allowed) / 2e6 if allowed.isdigit() and int(allowed) and ours else None


STALL_S = 30.0  # without a service manager that says how long it waits


def stall_s() -> float:
    """Seconds that a work may stand still: as long as the service manager waits for us."""
    return 2 * (watchdog_s() or STALL_S / 2)


class Work(NamedTuple):
    """``figure`` moves while the work goes forward, None while there is nothing to do."""

    figure: object
    most_s: float  # may stand still so long


class Watchdog:
    """
    Tells the service manager that we live, but only while every work goes forward.

    A loop that turns proves little: what is written and read waits in threads and for peers. A
    work is late when its figure has not moved for ``most_s``; ``stuck`` then says which.
    """

    def __init__(
        self, works: Callable[[], Mapping[str, Work]], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.stuck = ""
        self._works, self._now_s = works, now_s
        self._every_s = watchdog_s()
        self._fed_s = float("-inf")
        self._seen: dict[str, tuple[object, float]] = {}  # name -> figure, since when

    def look(self) -> None:
        """To be called by the loop, at least once a second."""
        now_s, works = self._now_s(), self._works()
        late, seen = [], dict[str, tuple[object, float]]()
        for name, (figure, most_s) in works.items():
            last, since_s = self._seen.get(name, (None, now_s))
            seen[name] = figure, now_s if figure is None or figure != last else since_s
            if now_s - seen[name][1] > most_s:
                late.append(f"{name} stands still for {now_s - seen[name][1]:.0f} s")
        self._seen = seen
        stuck = "; ".join(late)
        if bool(stuck) != bool(self.stuck):
            log = logging.getLogger(__name__)
            if stuck:
                log.error("%s: the watchdog is not fed", stuck)
            else:
                log.warning("goes forward again")
        self.stuck = stuck
        if self._every_s and not stuck and now_s - self._fed_s >= self._every_s / 2:
            notify("WATCHDOG=1")
            self._fed_s = now_s


class JournalFormatter(logging.Formatter):
    """``<4>agent.edge.poll: device lost device=plc``; the journal knows the time."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record).replace("\n", "\n  ")
        return f"<{LEVELS.get(record.levelno, 6)}>{text}"


def set_up_logging(level: int = logging.INFO) -> None:
    """To stderr; without time stamps when that is the journal."""
    handler = logging.StreamHandler(sys.stderr)
    if os.environ.get("JOURNAL_STREAM"):
        handler.setFormatter(JournalFormatter("%(name)s: %(message)s"))
    else:
        form = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
        formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("asyncua", "pymodbus", "mqtt", "paho"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
