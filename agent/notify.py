"""Words to systemd: READY, RELOADING, STOPPING, WATCHDOG; and logs as its journal likes them."""

import logging
import os
import socket
import sys
import time

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
