"""Options that the commands about entries share, and how they are read."""

import os
from pathlib import Path
from typing import Annotated

import typer

from drivers.cli import language
from drivers.language import say
from drivers.model import ConfigError
from reports.periods import Period

SiteFile = Annotated[
    Path, typer.Option("--site", help=say("厂区配置 site.toml", "site file, site.toml"))
]
Author = Annotated[str, typer.Option(help=say("填报人", "who states the figures"))]
Reason = Annotated[str, typer.Option(help=say("理由或来源", "why, or where they are from"))]
Lang = Annotated[str, typer.Option(help="zh | en")]
AsJson = Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))]
Reissue = Annotated[
    bool,
    typer.Option(
        "--reissue",
        help=say("更正已存证的数据，报告须重新出具", "correct what was lodged; the report follows"),
    ),
]


def speak(lang: str) -> None:
    """Use ``lang`` for the rest of this run. Raises ConfigError for other than zh and en."""
    if lang not in {"", "zh", "en"}:
        raise ConfigError([f"--lang {lang}: zh | en"])
    os.environ["SMELTER_LANG"] = lang or language()


def parse_month(text: str) -> Period:
    """A month. Raises ConfigError."""
    try:
        period = Period.parse(text)
    except ValueError as error:
        raise ConfigError([f"--month {error}"]) from None
    if not period.is_month:
        raise ConfigError([f"--month {text}: " + say("请填月份，如 2026-10", "write e.g. 2026-10")])
    return period


def parse_year(text: str) -> Period:
    """A year. Raises ConfigError."""
    try:
        period = Period.parse(text)
    except ValueError as error:
        raise ConfigError([f"--year {error}"]) from None
    if not period.is_year:
        raise ConfigError([f"--year {text}: " + say("请填年份，如 2026", "write e.g. 2026")])
    return period


def signed(author: str, reason: str) -> None:
    """Raises ConfigError unless somebody answers for it and says why."""
    if not author.strip() or not reason.strip():
        raise ConfigError([say("须填 --author 和 --reason", "--author and --reason are required")])
    if not (author + reason).isprintable():
        raise ConfigError(
            [
                say(
                    "--author 或 --reason 含有无法显示的字符；请用 UTF-8 输入，不换行",
                    "--author or --reason has characters that cannot be shown; write UTF-8, one "
                    "line",
                )
            ]
        )
