"""``smelter agent keys``: show the keys of a gateway, begin a new one."""

import json
from pathlib import Path
from typing import Annotated

import typer

from agent.edge.config import load_gateway
from drivers.audit import note_act
from drivers.language import say

keys_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help=say("网关签名密钥：查看、更换", "the gateway's signing keys: show, rotate"),
)
ConfigPath = Annotated[
    Path, typer.Argument(metavar="CONFIG", help=say("gateway.toml 的路径", "gateway.toml"))
]
AsJson = Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))]


@keys_app.command(
    help=say("列出全部公钥，最后一个在用", "every public key; the last one signs now")
)
def show(config: ConfigPath, *, as_json: AsJson = False) -> None:
    """Exit code 1 when there is no key yet, 3 when the keys cannot be used."""
    from agent.evidence.keys import KeyFileError, KeyRing
    from agent.evidence.tree import UnavailableError

    settings = load_gateway(config)
    folder = settings.data_dir / "keys"
    if not any(folder.glob("[0-9]*.pub")):
        typer.echo(
            say(
                f"{folder}：还没有密钥，网关首次启动时生成",
                f"{folder}: no key yet, the gateway makes one at its first start",
            ),
            err=True,
        )
        raise typer.Exit(1)
    owner = f"smelter/{settings.plant}/{settings.gateway}"
    try:
        ring = KeyRing.opened(folder, owner, settings.evidence.signature)
    except (KeyFileError, UnavailableError) as error:
        typer.echo(f"smelter agent keys: {error}", err=True)
        raise typer.Exit(3) from None
    rows = [
        {"number": e.number, "algorithm": e.key.algorithm, "made": e.made, "vkey": e.vkey}
        for e in ring.entries
    ]
    if as_json:
        typer.echo(json.dumps({"owner": owner, "keys": rows}, ensure_ascii=False, indent=1))
        return
    for row in rows:
        now = say("  在用", "  in use") if row["number"] == len(rows) else ""
        typer.echo(f"{row['number']}  {row['algorithm']}  {row['made']}{now}\n   {row['vkey']}")


@keys_app.command(
    "accept-witness",
    help=say(
        "历史库密钥丢失后，由人确认其新公钥",
        "vouch for the historian's new key after it lost its keys",
    ),
)
def accept_witness(
    config: ConfigPath,
    vkey: Annotated[str, typer.Argument(help=say("历史库日志中的新公钥", "the new public key"))],
) -> None:
    """Taken with the next cosignature; exit code 2 for what is no witness' key."""
    from agent.evidence.note import NoteError, key_of

    settings = load_gateway(config)
    folder = settings.data_dir / "keys" / "witness"
    try:
        owner, _, _ = key_of(vkey)
    except NoteError as error:
        typer.echo(f"smelter agent keys: {error}", err=True)
        raise typer.Exit(2) from None
    if not owner.startswith("smelter/historian/") or not (folder / "keys.json").exists():
        typer.echo(
            say("不是历史库的公钥，或尚未记住任何密钥", "no witness' key, or none is pinned yet"),
            err=True,
        )
        raise typer.Exit(2)
    with (folder / "accept.txt").open("a", encoding="utf-8") as file:
        file.write(vkey + "\n")
    trail = settings.audit.trail(settings.data_dir / "audit")
    note_act(trail, "key.accepted", owner, details={"vkey": vkey})
    typer.echo(say("下次收到其会签时采用", "taken with its next cosignature"))


@keys_app.command(
    help=say(
        "生成新密钥，由现用密钥签名确认后删除旧私钥；运行中的网关在下一个检查点起用它",
        "make a new key, vouched for by the present one, whose private part is then deleted; "
        "a running gateway takes it up with its next checkpoint",
    )
)
def rotate(
    config: ConfigPath,
    *,
    signature: Annotated[str, typer.Option(help="ed25519 | sm2")] = "",
    as_json: AsJson = False,
) -> None:
    """Exit code 3 when no key could be made; then the old one goes on to sign."""
    from agent.evidence.keys import KeyFileError, KeyRing
    from agent.evidence.signing import ALGORITHMS
    from agent.evidence.tree import UnavailableError

    settings = load_gateway(config)
    algorithm = signature or settings.evidence.signature
    if algorithm not in ALGORITHMS:
        names = ", ".join(ALGORITHMS)
        typer.echo(say(f"--signature：应为 {names}", f"--signature: one of {names}"), err=True)
        raise typer.Exit(2)
    owner = f"smelter/{settings.plant}/{settings.gateway}"
    try:
        ring = KeyRing.opened(settings.data_dir / "keys", owner, algorithm)
        fresh = ring.rotated(algorithm)
    except (KeyFileError, UnavailableError, OSError) as error:
        typer.echo(f"smelter agent keys: {error}", err=True)
        raise typer.Exit(3) from None
    before, now = ring.entries[-1].vkey, fresh.entries[-1].vkey
    told = {"before": before, "now": now}
    trail = settings.audit.trail(settings.data_dir / "audit")
    note_act(trail, "key.rotated", owner, details=told)
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    typer.echo(say(f"原密钥 {before}\n新密钥 {now}", f"before {before}\nnow    {now}"))
