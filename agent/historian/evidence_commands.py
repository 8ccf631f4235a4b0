"""``smelter historian checkpoints | proof | accept-key``: what is cosigned, and proofs of it."""

import json
import re
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from agent.evidence.note import NoteError, key_of, read_head, read_note
from agent.historian.config import HistorianConfig, load_historian
from drivers.audit import note_act
from drivers.language import say

ConfigPath = Annotated[
    Path, typer.Argument(help=say("historian.toml 的路径", "path of historian.toml"))
]
AsJson = Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))]
_LOG = re.compile(r"[^/]+/[^/]+/[a-z]+/[0-9a-f]{16}")


def _refuse(message: str, code: int) -> NoReturn:
    typer.echo(f"smelter historian: {message}", err=True)
    raise typer.Exit(code)


def checkpoints(config: ConfigPath, *, as_json: AsJson = False) -> None:
    """Exit code 1 when a log has forked."""
    settings = load_historian(config)
    rows = _rows(settings)
    stamps = _stamps(settings)
    if as_json:
        typer.echo(json.dumps({"logs": rows, "days": stamps}, ensure_ascii=False, indent=1))
    else:
        for row in rows:
            forks = say(f"  分叉 {row['forks']}", f"  FORKS {row['forks']}") if row["forks"] else ""
            upto = say(f"已会签至批次 {row['size']}", f"cosigned to batch {row['size']}")
            typer.echo(f"{row['log']}: {upto}{forks}")
        for day, said in stamps.items():
            typer.echo(f"{day}: {said}")
    if any(row["forks"] for row in rows):
        raise typer.Exit(1)


def _rows(settings: HistorianConfig) -> list[dict[str, object]]:
    folder = settings.data_dir / "checkpoints"
    rows: list[dict[str, object]] = []
    for path in sorted(folder.glob("*/*/*/**/checkpoint")):
        head = read_head(read_note(path.read_text("utf-8")).text)
        forks = len(list(path.parent.glob("forks/*/refused")))
        rows.append({"log": head.origin, "size": head.size, "forks": forks})
    return rows


def _stamps(settings: HistorianConfig) -> dict[str, str]:
    from agent.evidence.rfc3161 import StampError
    from agent.historian.stamps import verify_day

    folder = settings.data_dir / "checkpoints" / "daily"
    found = {}
    for path in sorted(folder.glob("*.txt")):
        if settings.timestamp is None or not path.with_suffix(".tsr").exists():
            found[path.stem] = say("没有时间戳", "no time stamp")
            continue
        try:
            stamp = verify_day(folder, path.stem, settings.timestamp.ca)
            at = stamp.at.isoformat()
            found[path.stem] = say(f"时间戳 {at}，{stamp.signer}", f"stamped {at}, {stamp.signer}")
        except (StampError, OSError) as error:
            found[path.stem] = say(f"时间戳无效：{error}", f"the time stamp is NOT GOOD: {error}")
    return found


def proof(
    config: ConfigPath,
    log: Annotated[str, typer.Argument(metavar="PLANT/GATEWAY/STREAM/LOG")],
    seq: Annotated[int, typer.Argument(min=1, help=say("批次号", "batch number"))],
) -> None:
    """Print the tlog-proof of one batch. Exit code 1 when it is not under a checkpoint."""
    from agent.evidence.proof import proof_text
    from agent.evidence.tiles import TornTreeError, UnknownLeafError

    settings = load_historian(config)
    if not _LOG.fullmatch(log):
        _refuse(say(f"{log}：应为 工厂/网关/流/日志", f"{log}: PLANT/GATEWAY/STREAM/LOG"), 2)
    place = settings.data_dir / "checkpoints" / log
    found = [path for path in (place / "sm3" / "checkpoint", place / "checkpoint") if path.exists()]
    if not found:
        _refuse(say(f"{log}：没有会签的检查点", f"{log}: no cosigned checkpoint"), 1)
    try:
        note = read_note(found[0].read_text("utf-8"))
        size = read_head(note.text).size
        if seq > size:
            _refuse(
                say(
                    f"{log}：批次 {seq} 尚未会签，目前会签至 {size}",
                    f"{log}: batch {seq} is not cosigned yet, only those to {size}",
                ),
                1,
            )
        typer.echo(proof_text(settings.originals / log, seq, note), nl=False)
    except (ValueError, TornTreeError, UnknownLeafError) as error:
        _refuse(f"{log}: {error}", 1)


def accept_key(
    config: ConfigPath,
    gateway: Annotated[str, typer.Argument(metavar="PLANT/GATEWAY")],
    vkey: Annotated[
        str,
        typer.Argument(help=say("网关上 keys show 显示的公钥", "as the gateway's keys show says")),
    ],
) -> None:
    """A person vouches for a key after a gateway lost its keys."""
    settings = load_historian(config)
    try:
        owner, _, _ = key_of(vkey)
    except NoteError as error:
        _refuse(str(error), 2)
    if owner != f"smelter/{gateway}":
        _refuse(
            say(
                f"该公钥属于 {owner}，不属于 {gateway}", f"this key is of {owner}, not of {gateway}"
            ),
            2,
        )
    folder = settings.data_dir / "checkpoints" / gateway
    if not (folder / "keys.json").exists():
        _refuse(
            say(
                f"{gateway}：历史库尚未记住任何密钥，首次收到的密钥会自动采用",
                f"{gateway}: no key is pinned yet; the first that comes is taken",
            ),
            2,
        )
    with (folder / "accept.txt").open("a", encoding="utf-8") as file:
        file.write(vkey + "\n")
    trail = settings.audit.trail(settings.data_dir / "audit")
    note_act(trail, "key.accepted", gateway, details={"vkey": vkey})
    typer.echo(
        say(
            f"{gateway}：下次收到由此密钥签名的检查点时采用，并写入事件",
            f"{gateway}: taken with the next checkpoint it signed; an event will say so",
        )
    )
