"""Batch logs and their evidence: is it written, is it receipted, is it cosigned, is it whole."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.doctor.configs import gateway_of, historian_of
from agent.doctor.logbook import LogState, held_by, log_state
from agent.historian.originals import sources_in
from drivers.doctor import NOTHING, Finding, Given, Level, Text

STREAMS = ("record", "raw")
QUIET_S = 180.0  # the record stream has a batch each minute
LATE_S, VERY_LATE_S = 120.0, 3600.0  # without a receipt
UNSIGNED_S = 900.0


def gateway(given: Given) -> Iterable[Finding]:
    """Of a gateway on this machine."""
    config = gateway_of(given)
    if config is None or not config.data_dir.exists():
        return
    states, refused = _states([config.data_dir / stream for stream in STREAMS])
    if refused:
        yield _refused(config.data_dir)
        return
    holder = next((pid for s in states if (pid := held_by(s.folder / "lock"))), None)
    yield _running("smelter-agent", "backlog", holder, config.data_dir)
    for state in states:
        yield from _written(state, given.now_ns, running=holder is not None)
        yield from _receipted(state, given.now_ns)
        yield from _damaged(state)
        yield from _signed(state, given.now_ns, running=holder is not None)


def historian(given: Given) -> Iterable[Finding]:
    """Of a historian on this machine: its originals, and heads that contradict each other."""
    config = historian_of(given)
    if config is None or not config.data_dir.exists():
        return
    folders = [
        config.originals / s.plant / s.gateway / s.stream / s.log
        for s in sources_in(config.originals)
    ]
    states, refused = _of(folders)
    if refused:
        yield _refused(config.data_dir)
        return
    holder = next((pid for s in states if (pid := held_by(s.folder / "lock"))), None)
    yield _running("smelter-historian", "historian", holder, config.data_dir)
    if states:
        newest = max(states, key=lambda each: each.newest_ns)
        age_s = (given.now_ns - newest.newest_ns) / 1e9
        level: Level = "ok" if age_s < QUIET_S else "warn"
        yield Finding(
            level,
            "historian",
            Text(
                f"{len(states)} 个日志，最新批次在 {_age(age_s).zh}前",
                f"{len(states)} logs, the newest batch is {_age(age_s).en} old",
            ),
            NOTHING
            if level == "ok"
            else Text(
                "没有新数据：检查网关是否运行、能否连到消息服务器",
                "nothing new comes: are the gateways running, do they reach the broker?",
            ),
            str(config.originals),
        )
    for state in states:
        yield from _damaged(state)
    yield from _forks(config.data_dir / "checkpoints")


def _states(streams: list[Path]) -> tuple[list[LogState], bool]:
    try:
        folders = [each for stream in streams for each in sorted(stream.glob("*/"))]
    except PermissionError:
        return [], True
    return _of(folders)


def _of(folders: list[Path]) -> tuple[list[LogState], bool]:
    try:
        found = [log_state(folder) for folder in folders]
    except PermissionError:
        return [], True
    return [state for state in found if state is not None], False


def _refused(folder: Path) -> Finding:
    return Finding(
        "note",
        "log",
        Text("当前用户无权读取，未检查", "this user may not read it: not checked"),
        Text("请以服务用户或 root 运行", "run as the service's user or root"),
        str(folder),
    )


def _running(unit: str, topic: str, holder: int | None, folder: Path) -> Finding:
    if holder is not None:
        told = Text(f"{unit} 正在运行（进程 {holder}）", f"{unit} is running (process {holder})")
        return Finding("ok", topic, told, where=str(folder))
    return Finding(
        "warn",
        topic,
        Text(f"{unit} 未在运行", f"{unit} is not running"),
        Text(
            f"systemctl start {unit}；起不来时看 journalctl -u {unit} -n 50",
            f"systemctl start {unit}; if it does not: journalctl -u {unit} -n 50",
        ),
        str(folder),
    )


def _name(state: LogState) -> str:
    return f"{state.folder.parent.name}/{state.folder.name}"


def _written(state: LogState, now_ns: int, *, running: bool) -> Iterator[Finding]:
    age_s = (now_ns - state.newest_ns) / 1e9
    if running and age_s > QUIET_S and state.folder.parent.name == "record":
        yield Finding(
            "bad",
            "log",
            Text(
                f"正在运行，但最新批次已是 {_age(age_s).zh}前",
                f"running, but the newest batch is {_age(age_s).en} old",
            ),
            Text(
                "检查磁盘空间和 journalctl -u smelter-agent",
                "room on the disk? journalctl -u smelter-agent",
            ),
            _name(state),
        )


def _receipted(state: LogState, now_ns: int) -> Iterator[Finding]:
    age_s = (now_ns - state.waiting_since_ns) / 1e9 if state.waiting_since_ns else 0.0
    level: Level = "ok" if age_s < LATE_S else "warn" if age_s < VERY_LATE_S else "bad"
    if level == "ok":
        told = Text(
            f"已确认到 {state.receipted}，待确认 {state.waiting} 批",
            f"receipted to {state.receipted}, {state.waiting} batches on their way",
        )
        yield Finding("ok", "backlog", told, where=_name(state))
        return
    yield Finding(
        level,
        "backlog",
        Text(
            f"{state.waiting:,} 批未被历史库确认，最早的已等待 {_age(age_s).zh}",
            f"{state.waiting:,} batches wait for the historian, the first for {_age(age_s).en}",
        ),
        Text(
            "数据都在本机，不会丢失；检查消息服务器与历史库是否运行、访问控制是否放行 receipt",
            "nothing is lost, all of it is here; are broker and historian running, "
            "does the ACL let receipts through?",
        ),
        _name(state),
    )


def _damaged(state: LogState) -> Iterator[Finding]:
    if state.damaged:
        yield Finding(
            "bad",
            "log",
            Text(
                f"{state.damaged} 处记录损坏，字节已存入 quarantine/",
                f"{state.damaged} damaged places; their bytes are in quarantine/",
            ),
            Text(
                "检查磁盘（smartctl -a）；另一端有的会自动补齐，其余见 smelter historian verify",
                "look at the disk (smartctl -a); what the other end has is filled in, "
                "smelter historian verify names the rest",
            ),
            _name(state),
        )


def _signed(state: LogState, now_ns: int, *, running: bool) -> Iterator[Finding]:
    """Checkpoint and cosignature of the tree in use."""
    trees = [state.folder / name for name in ("tree-sm3", "tree")]
    tree = next((each for each in trees if each.exists()), None)
    if tree is None:
        return
    if (tree / "went-back").exists():
        yield Finding(
            "warn",
            "evidence",
            Text(
                "磁盘回退或由备份恢复，此日志不再签名", "went back or was restored: signed no more"
            ),
            Text(
                "全部送达后重启 smelter-agent，即另起新日志继续签名",
                "restart smelter-agent once all is receipted: a new log begins and is signed",
            ),
            _name(state),
        )
        return
    for file, zh, en in (("checkpoint", "签名", "signed"), ("cosigned", "会签", "cosigned")):
        path = tree / file
        age_s = (now_ns - path.stat().st_mtime_ns) / 1e9 if path.exists() else None
        if age_s is not None and (age_s < UNSIGNED_S or not running):
            told = Text(f"{_age(age_s).zh}前{zh}", f"{en} {_age(age_s).en} ago")
            yield Finding("ok", "evidence", told, where=_name(state))
        elif running and state.newest_ns < now_ns - UNSIGNED_S * 1e9:
            continue  # nothing new to sign
        elif running:
            yield Finding(
                "warn",
                "evidence",
                Text(f"超过 15 分钟没有{zh}", f"not {en} for more than 15 minutes"),
                Text(
                    "看 /healthz 的说明；密钥权限、历史库是否运行（docs/evidence.md）",
                    "see what /healthz says; mode of the keys, is the historian running "
                    "(docs/evidence.md)",
                ),
                _name(state),
            )


def _forks(folder: Path) -> Iterator[Finding]:
    try:
        forks = sorted(folder.glob("**/forks/*/"))
    except PermissionError:
        return
    for each in forks:
        yield Finding(
            "warn",
            "evidence",
            Text("两个签名树头互相矛盾，证据已留存", "two signed heads contradict; both are kept"),
            Text(
                "网关是否由备份恢复或更换过磁盘？否则按篡改处理（docs/evidence.md）",
                "was the gateway restored or its disk changed? If not, treat it as tampering "
                "(docs/evidence.md)",
            ),
            str(each),
        )


def _age(seconds: float) -> Text:
    for limit, unit_s, zh, en in (
        (120, 1, "秒", "s"),
        (7200, 60, "分钟", "min"),
        (172800, 3600, "小时", "h"),
    ):
        if seconds < limit:
            return Text(f" {seconds / unit_s:.0f} {zh}", f"{seconds / unit_s:.0f} {en}")
    return Text(f" {seconds / 86400:.0f} 天", f"{seconds / 86400:.0f} days")
