"""What a new config may change while the gateway runs, and what it says of it."""

from collections.abc import Mapping

from agent.batches.log import BatchLog
from agent.edge.config import GatewayConfig, LogConfig
from drivers.language import say
from drivers.model import ConfigError

NEEDS_RESTART = ("plant", "gateway", "data_dir", "health", "evidence", "forward", "audit")
AT_ONCE = ("mqtt", "log", "pots", "exchangers", "stacks")  # and [[device]] with its points
DAY_NS = 86_400_000_000_000


def refuse_moves(old: GatewayConfig, fresh: GatewayConfig) -> None:
    """Raises ConfigError when something changed that only a restart can take over."""
    moved = [name for name in NEEDS_RESTART if getattr(fresh, name) != getattr(old, name)]
    problems = [
        fresh.path.name + say(f"：运行中不能更改 {name}", f": {name} cannot change while running")
        for name in moved
    ]
    if problems:
        told = say("请重启 agent 使其生效", "restart the agent to change it")
        raise ConfigError([*problems, told])


def changed(old: GatewayConfig, fresh: GatewayConfig) -> list[str]:
    """Sections that say something else and count from now on."""
    found = [name for name in AT_ONCE if getattr(fresh, name) != getattr(old, name)]
    return [*found, "device"] if _keys(old) != _keys(fresh) else found


def _keys(config: GatewayConfig) -> set[str]:
    return {line.key for line in config.lines}


def limits(config: LogConfig, stream: str) -> tuple[int, int | None]:
    """How long receipted batches of a stream stay, ns, and the most bytes of the stream."""
    days = config.record_days if stream == "record" else config.raw_days
    return int(days * DAY_NS), config.max_bytes


def set_limits(config: LogConfig, logs: Mapping[str, BatchLog]) -> None:
    """From now on; the next pruning goes by them."""
    for stream, log in logs.items():
        log.set_limits(*limits(config, stream))
