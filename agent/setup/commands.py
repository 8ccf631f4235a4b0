"""``smelter agent init``: a first config, asked for at the prompts or made from answers."""

import asyncio
import json
import os
import pwd
import shlex
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from drivers.language import say
from drivers.model import ConfigError


def init(  # noqa: PLR0913 - one per option of the command
    *,
    folder: Annotated[
        Path, typer.Option("--dir", help=say("配置写入的目录", "folder the config is written to"))
    ] = Path(),
    answers: Annotated[
        Path | None,
        typer.Option("--answers", help=say("应答文件（TOML），不再提问", "answers, nothing asked")),
    ] = None,
    plant: Annotated[str, typer.Option("--plant", help=say("工厂代号", "plant"))] = "",
    gateway: Annotated[str, typer.Option("--gateway", help=say("网关代号", "gateway"))] = "",
    broker: Annotated[str, typer.Option("--broker", help="mqtt://… | mqtts://…")] = "",
    device: Annotated[
        list[str] | None,
        typer.Option("--device", help="modbus-tcp://HOST:502?unit=1&profile=NAME&equipment=A/B"),
    ] = None,
    no_probe: Annotated[
        bool, typer.Option("--no-probe", help=say("不连接设备", "connect to nothing"))
    ] = False,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept-unverified",
            help=say(
                "寄存器未经核实或被拒绝也写入", "write registers that are unverified or refused"
            ),
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))] = False,
) -> None:
    """
    Exit code 0: a config that ``smelter agent check`` finds good was written; 1: a device did not
    answer or fit, its registers are unverified and nobody accepted that, or the person gave up, and
    nothing was written; 2: mistakes, or a config is there.
    """
    from agent.setup.answers import device_of

    said: dict[str, Any] = {"plant": plant, "gateway": gateway, "mqtt": {"url": broker}}
    said = {k: v for k, v in said.items() if v and v != {"url": ""}}
    said |= {"device": [device_of(text) for text in device]} if device else {}
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _leave)
    if answers is None and not said and not as_json:
        _interactive(folder)
    else:
        how = {"probe": False} if no_probe else {}
        how |= {"accept_unverified": True} if accept else {}
        _scripted(folder, answers, said, how=how, as_json=as_json)


def _leave(_number: int, _frame: object) -> None:
    """Through every ``with``, so that no half config stays."""
    raise SystemExit(1)


def _interactive(folder: Path) -> None:
    from agent.edge.check import summary
    from agent.setup import wizard
    from agent.setup.answers import from_options
    from agent.setup.draft import Draft, refuse_existing

    refuse_existing(folder.absolute())
    trial = {"name": "d", "driver": "modbus-tcp", "address": "127.0.0.1:502"}
    try:
        first = wizard.first_answers()
        with Draft(folder, from_options(first | {"device": [trial]})) as draft:
            wizard.devices(draft, Path())
            wizard.tell("\n" + summary(draft.check()))
            wizard.confirm(say(f"写入 {draft.target}？", f"write to {draft.target}?"))
            files = draft.publish()
    except (wizard.AbortedError, KeyboardInterrupt):  # the latter while a device is asked
        typer.echo(say("\n已退出，未写入任何文件", "\nleft, nothing was written"), err=True)
        raise typer.Exit(1) from None
    _conclude(folder, files)


def _scripted(
    folder: Path, answers: Path | None, said: dict[str, Any], *, how: dict[str, bool], as_json: bool
) -> None:
    from agent.edge.check import summary
    from agent.setup.answers import Answers, from_file, from_options
    from agent.setup.draft import Draft

    report: dict[str, Any] = {"written": False, "dir": str(folder), "devices": []}
    base = answers.absolute().parent if answers is not None else Path().absolute()
    try:
        told: Answers = from_file(answers, said) if answers is not None else from_options(said)
        with Draft(folder, _absolute(told, base)) as draft:
            silent = asyncio.run(_all(draft, base, report, how=how, quiet=as_json))
            if silent:
                report["problems"] = silent
            else:
                report["check"] = draft.check()
                if not as_json:
                    typer.echo(summary(report["check"]))
                report["files"] = draft.publish()
                report["written"] = True
    except ConfigError as error:
        if not as_json:
            raise
        typer.echo(_json(report | {"problems": error.problems}))
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(_json(report))
    elif silent:
        told_nothing = say("未写入任何文件", "nothing was written")
        typer.echo("\n".join([*silent, told_nothing]), err=True)
    else:
        _conclude(folder, report["files"])
    if silent:
        raise typer.Exit(1)


def _json(report: dict[str, Any]) -> str:
    return json.dumps(report, ensure_ascii=False, indent=1, default=str)


def _absolute(told: Any, base: Path) -> Any:
    """Files of the broker are named from where the answers lie."""
    names = ("ca", "cert", "key")
    files = {n: base / f for n in names if (f := getattr(told.mqtt, n)) is not None}
    return told.model_copy(update={"mqtt": told.mqtt.model_copy(update=files)})


async def _all(
    draft: Any, base: Path, report: dict[str, Any], *, how: dict[str, bool], quiet: bool
) -> list[str]:
    """Every device, one after another, ``how`` counting for all; why nothing may be written."""
    from agent.setup.preview import preview
    from agent.setup.propose import SilentError, propose

    silent: list[str] = []
    problems: list[str] = []
    for device in draft.answers.device:
        asked = device.model_copy(update=how)
        facts: dict[str, Any] = {"name": device.name, "driver": device.driver}
        report["devices"].append(facts)
        try:
            proposal = await propose(asked, draft, base)
        except SilentError as error:
            silent.append(str(error))
            facts |= error.facts | {"problem": str(error)}
            continue
        except ConfigError as error:
            problems += error.problems
            continue
        draft.devices.append(proposal.table)
        facts |= proposal.facts | {"said": proposal.said, "to_accept": proposal.doubts}
        facts["values"] = [reading.as_json() for reading in proposal.readings]
        if not quiet:
            doubts = [f"! {doubt}" for doubt in proposal.doubts]
            said = [f"  {line}" for line in [*proposal.said, *doubts]]
            typer.echo("\n".join([f"{device.name}:", *said, *preview(proposal.readings)]))
        if proposal.doubts and not asked.accept_unverified:
            silent += proposal.doubts if quiet else []
            silent.append(
                say(
                    f"{device.name}：核对后以 --accept-unverified 写入，或用自己的点表 points",
                    f"{device.name}: compare, then say --accept-unverified, or give points, "
                    "a table of your own",
                )
            )
    if problems:
        raise ConfigError(problems)
    return silent


def _conclude(folder: Path, files: list[str]) -> None:
    config = folder / "gateway.toml"
    lines = [say(f"已写入 {folder / name}", f"written {folder / name}") for name in files]
    secrets = [name for name in files if name.startswith("credentials/")]
    lines += [
        say(f"请把密码写入 {folder / name}", f"put the password into {folder / name}")
        for name in secrets
    ]
    lines += _handed_over([folder / name for name in files])
    lines += [
        say("下一步：", "next:"),
        f"  smelter agent check {config} --plan",
        f"  smelter agent read {config}",
        f"  smelter agent run {config}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


SERVICE = "smelter-agent"  # the user of the unit


def _handed_over(files: list[Path], service: str = SERVICE) -> list[str]:
    """
    Secrets (mode 0600) that root made are given to the user of the service, who must read them.

    Where root has no such user here, or could not, the command to do it later is told.
    """
    secret = [path for path in files if path.stat().st_mode & 0o077 == 0]
    if not secret or os.geteuid() != 0:
        return []
    try:
        user = pwd.getpwnam(service)
        for path in secret:
            os.chown(path, user.pw_uid, user.pw_gid)
    except (KeyError, OSError):
        names = " ".join(shlex.quote(str(path.absolute())) for path in secret)
        told = say("服务须能读取以下文件，请执行：", "the service must read these; run:")
        return [f"{told} sudo chown {service}: {names}"]
    names = ", ".join(str(path) for path in secret)
    return [say(f"已归用户 {service} 所有：{names}", f"given to the user {service}: {names}")]
