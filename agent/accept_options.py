"""The options of ``check`` by which a person stands for a config."""

from typing import Annotated

import typer

from drivers.language import say

Accept = Annotated[
    bool,
    typer.Option(
        "--accept",
        help=say(
            "记入审计日志：此配置由何人、为何启用", "record who puts this config in place and why"
        ),
    ),
]
Author = Annotated[str, typer.Option(help=say("何人（--accept）", "who, with --accept"))]
Reason = Annotated[str, typer.Option("--why", help=say("理由（--accept）", "why, with --accept"))]
