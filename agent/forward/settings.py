"""``[[forward]]`` of ``gateway.toml``: one platform that one stack is reported to."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from agent.toml_lines import Place, line_of
from drivers.config import NAME, Strict, host_and_port
from drivers.language import say
from drivers.model import Equipment, Point

Sent = Literal["minute", "hour", "day"]


class ForwardConfig(Strict):
    """Time-outs are those of HJ 212 table 1 for wired links; a wireless one has 10 s."""

    name: str = Field(pattern=NAME)
    address: str
    equipment: str
    mn: str = Field(pattern=r"^[0-9A-Za-z]{24}$")
    pw: str = Field(default="123456", pattern=r"^.{6}$")  # the protocol sends it readable
    pw_file: Path | None = None  # in its place; mode 0600, or "credential:NAME"
    version: Literal[2017, 2025] = 2017
    source: Literal["cems", "stack"] = "cems"  # the logger's own windows, or the gateway's
    send: tuple[Sent, ...] = ("minute", "hour", "day")
    minutes: Literal[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30] = 1  # of minute data, source "stack"
    timeout_s: float = Field(default=5.0, gt=0, le=120)
    retries: int = Field(default=3, ge=0, le=10)
    late_s: float = Field(default=60.0, gt=0)  # later than this a packet is a backfilled one
    pause_most_s: float = Field(default=60.0, gt=0, le=3600)  # between two tries to connect
    keep_days: float = Field(default=90.0, gt=0, le=3650)  # acknowledged packets are kept here
    key_file: Path | None = None  # SM4, 2025 only; 16 characters, mode 0600

    @field_validator("address")
    @classmethod
    def _address(cls, address: str) -> str:
        host_and_port(address)
        return address

    @field_validator("equipment")
    @classmethod
    def _equipment(cls, equipment: str) -> str:
        return str(Equipment.parse(equipment))

    @model_validator(mode="after")
    def _together(self) -> "ForwardConfig":
        if self.key_file is not None and self.version != 2025:
            raise ValueError(
                say(
                    "key_file 只用于 version = 2025；2017 版没有加密",
                    "key_file is for version = 2025; 2017 knows no encryption",
                )
            )
        if not self.send or len(set(self.send)) != len(self.send):
            raise ValueError(say("send 为空或重复", "send is empty, or names something twice"))
        return self

    def below(self, folder: Path) -> "ForwardConfig":
        """With its files relative to this folder."""
        files = {"key_file": self.key_file, "pw_file": self.pw_file}
        given = {name: folder / path for name, path in files.items() if path is not None}
        return self.model_copy(update=given)


def forward_problems(
    path: Path,
    lines: dict[Place, int],
    found: Sequence[ForwardConfig],
    points: Iterable[Point],
    stacks: Collection[str],
) -> list[str]:
    """Names used twice, and stacks of which there is nothing to send."""
    loggers = {str(p.equipment) for p in points if p.quantity.measurement == "cems"}
    problems = []
    names: set[str] = set()
    for i, each in enumerate(found):
        where = f"{path.name}:{line_of(lines, ('forward', i, 'name'))}: forward {each.name}"
        if each.name in names:
            problems.append(f"{where}: " + say("名称重复", "the name is used twice"))
        names.add(each.name)
        if each.source == "cems" and each.equipment not in loggers:
            told = say(
                f'{each.equipment} 没有 cems.* 测点；请检查 equipment，或写 source = "stack"',
                f'no cems.* point of {each.equipment}; correct it, or write source = "stack"',
            )
            problems.append(f"{where}: {told}")
        if each.source == "stack" and each.equipment not in stacks:
            told = say(
                f'{each.equipment} 没有 [[stacks]]；请检查 equipment，或写 source = "cems"',
                f'no [[stacks]] for {each.equipment}; correct it, or write source = "cems"',
            )
            problems.append(f"{where}: {told}")
    return problems
