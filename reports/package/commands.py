"""``smelter package`` and ``smelter verify``."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from drivers.language import language, say
from drivers.model import ConfigError
from reports.entries.options import AsJson, Lang, speak
from reports.package.build import Order, build_package
from reports.package.gather import Wish
from reports.package.verify import main as verify_main
from reports.periods import PLANT_TIME
from reports.site import load_site
from reports.versions import read_report

_HOUR_NS = 3_600_000_000_000


def package(  # noqa: PLR0913 - each is an option of the command
    file: Annotated[Path, typer.Argument(help="REPORT.json")],
    out: Annotated[
        Path | None,
        typer.Option(help=say("证据包，默认与报告同名", "the package; usual: beside the report")),
    ] = None,
    site: Annotated[
        Path | None,
        typer.Option(help=say("厂区配置，默认为报告所指", "site.toml; usual: that of the report")),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            help=say(
                "加入该小时的全部批次，如 2026-10-05T08（可多次）",
                "also every batch of that hour, 2026-10-05T08 (may be given again)",
            )
        ),
    ] = None,
    since: Annotated[
        list[Path] | None,
        typer.Option(
            help=say(
                "审核方保存的检查点：附一致性证明",
                "a checkpoint the auditor keeps: a proof that the log went on from it is added",
            )
        ),
    ] = None,
    most_mb: Annotated[
        int, typer.Option(min=1, max=250, help=say("原始批次上限 MB", "limit of originals, MB"))
    ] = 200,
    signature: Annotated[
        str, typer.Option(help=say("首个密钥的算法", "algorithm of the first key: ed25519 | sm2"))
    ] = "ed25519",
    *,
    approved_by: Annotated[
        str, typer.Option("--approved-by", help=say("批准人", "who approves that data leave"))
    ] = "",
    reason: Annotated[str, typer.Option("--why", help=say("理由", "why"))] = "",
    whole: Annotated[
        bool,
        typer.Option(
            "--all", help=say("加入期间全部原始批次", "every original batch that the report used")
        ),
    ] = False,
    rotate_key: Annotated[
        bool,
        typer.Option("--rotate-key", help=say("先更换签名密钥", "change the signing key first")),
    ] = False,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """A signed file with the report and all that proves it."""
    speak(lang)
    if signature not in {"ed25519", "sm2"}:
        raise ConfigError([f"--signature {signature}: ed25519 | sm2"])
    report = read_report(file)
    site_file = site or file.parent / report.site
    plant = load_site(site_file)
    if plant.plant != report.content.plant.id:
        raise ConfigError([f"{site_file}: {plant.plant}, {report.content.plant.id}"])
    wish = Wish(whole, tuple(map(_hour, at or ())), tuple(since or ()), most_mb << 20)
    order = Order(out, approved_by, reason, signature, rotate_key, wish)
    made = build_package(file, report, plant, site_file, order)
    target, found, ring = made.path, made.found, made.ring
    batches = sum(1 for name in found.files if name.startswith("batches/"))
    if as_json:
        told = {"package": str(target), "bytes": target.stat().st_size, "key": ring.vkey}
        left = {key: each.model_dump() for key, each in found.left_out.items()}
        typer.echo(json.dumps(told | {"left_out": left}, ensure_ascii=False))
        return
    size = target.stat().st_size
    typer.echo(
        say(
            f"{target}（{len(found.files)} 个文件，{batches} 个日志的原始批次，{size:,} 字节）",
            f"{target} ({len(found.files)} files, originals of {batches} logs, {size:,} bytes)",
        )
    )
    for key, text in found.left_out.items():
        typer.echo(f"! {key}: {text.of(language())}")
    typer.echo(say(f"签名公钥：{ring.vkey}", f"signed by: {ring.vkey}"))
    typer.echo(say(f"核验：smelter verify {target}", f"to verify: smelter verify {target}"))


def _hour(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError([f"--at {text}: 2026-10-05T08"]) from None
    local = moment.replace(tzinfo=PLANT_TIME) if moment.tzinfo is None else moment
    time_ns = int(local.timestamp()) * 1_000_000_000
    return time_ns - time_ns % _HOUR_NS


def verify(  # noqa: PLR0913 - each is an option of the command
    file: Annotated[Path, typer.Argument(metavar="PACKAGE", help="*.evidence.zip")],
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            "--trusted-key",
            help=say("您信任的公钥（从包以外得到）", "a key you trust, got otherwise"),
        ),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help=say("您保存的较早检查点", "a checkpoint you kept from earlier")),
    ] = None,
    earlier: Annotated[
        list[Path] | None,
        typer.Option(
            help=say(
                "您以前保存的证据包或 report.json：台账等须由其延续而来",
                "a package or report.json you kept: ledger and journal must go on from it",
            )
        ),
    ] = None,
    ca: Annotated[
        Path | None, typer.Option(help=say("时间戳服务证书", "certificates of the time stamps"))
    ] = None,
    *,
    without_originals: Annotated[
        bool,
        typer.Option(
            "--without-originals",
            help=say(
                "只核对报告和录入，不要求追溯到原始批次",
                "judge report and entries only; do not ask for originals",
            ),
        ),
    ] = False,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """Exit code 0: intact; 1: changed; 2: cannot be judged. The same program is in each package."""
    speak(lang)
    call = ["--lang", language()]
    for option, values in (
        ("--key", key),
        ("--checkpoint", checkpoint),
        ("--earlier", earlier),
        ("--ca", [ca] if ca else []),
    ):
        call += [f"{option}={value}" for value in values or ()]  # a value may begin with "-"
    call += ["--without-originals"] if without_originals else []
    call += ["--json"] if as_json else []
    code = verify_main([*call, "--", str(file)])
    if code:
        raise typer.Exit(code)
