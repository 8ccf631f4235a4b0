"""
Classes of industrial data (一般 / 重要 / 核心): which datum has which, and whether it may leave.

The dictionary of quantities and KINDS below give the usual class; ``[classes]`` of a config raises
one, or lowers it with a reason and a name, which is shown. ``[export]`` says per class whether data
may leave freely (``free``), with a named approval (``approved``) or not at all (``refused``). The
classes themselves are the plant's to decide and to file (工信部网安〔2022〕166号); ours are a
proposal.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from drivers.config import Strict
from drivers.doctor import Text
from drivers.language import say
from drivers.model import ConfigError, DataClass
from drivers.quantities import quantities
from drivers.tomlfile import read_tables

RANK = (DataClass.GENERAL, DataClass.IMPORTANT, DataClass.CORE)
NAMES = {
    DataClass.GENERAL: Text("一般", "general"),
    DataClass.IMPORTANT: Text("重要", "important"),
    DataClass.CORE: Text("核心", "core"),
}
# What is kept beside quantities, and its usual class.
KINDS: Mapping[str, DataClass] = {
    "events": DataClass.IMPORTANT,
    "evidence": DataClass.GENERAL,  # hashes and public keys: made to be shown
    "configs": DataClass.IMPORTANT,
    "entries": DataClass.IMPORTANT,
    "journal": DataClass.IMPORTANT,
    "reports": DataClass.IMPORTANT,
    "audit": DataClass.IMPORTANT,
    "keys": DataClass.CORE,
}
Way = Literal["package", "forward", "backup", "audit", "console"]
Rule = Literal["free", "approved", "refused"]


class Lowered(Strict):
    """A class below the usual one: why, and who decided it."""

    class_: DataClass = Field(alias="class")
    why: str = Field(min_length=4)
    by: str = Field(min_length=2)


class Approval(Strict):
    """``[[export.approvals]]``: a standing approval, e.g. of a platform that data are sent to."""

    way: Way
    name: str = ""  # of the [[forward]]; empty: all of that way
    by: str = Field(min_length=2)
    why: str = Field(min_length=4)
    until: date | None = None


class ExportConfig(Strict):
    """``[export]``: what may leave, by class."""

    general: Rule = "free"
    important: Rule = "free"
    core: Rule = "approved"
    approvals: tuple[Approval, ...] = ()
    also: tuple[str, ...] = ()  # configs whose classes and rules count as well; relative to this

    def rule(self, of: DataClass) -> Rule:
        found: Rule = getattr(self, of.value)
        return found


class ClassTables(Strict):
    """``[classes]`` and ``[export]`` as any of the three configs may have them."""

    classes: Mapping[str, DataClass | Lowered] = Field(default_factory=dict)
    export: ExportConfig = ExportConfig()

    @model_validator(mode="after")
    def _known(self) -> "ClassTables":
        problems = []
        for name, said in self.classes.items():
            usual = usual_class(name)
            new = said.class_ if isinstance(said, Lowered) else said
            if usual is None:
                problems.append(
                    say(
                        f"[classes] {name}：没有此量或类别；类别有 {', '.join(KINDS)}",
                        f"[classes] {name}: no such quantity or kind; kinds: {', '.join(KINDS)}",
                    )
                )
            elif RANK.index(new) < RANK.index(usual) and not isinstance(said, Lowered):
                zh, en = NAMES[usual].zh, NAMES[usual].en
                problems.append(
                    say(
                        f"[classes] {name}：低于缺省等级“{zh}”，须写 "
                        f'{{ class = "{new}", why = "理由", by = "批准人" }}',
                        f"[classes] {name}: below the usual class {en}; write "
                        f'{{ class = "{new}", why = "…", by = "who decided" }}',
                    )
                )
        if problems:
            raise ValueError("\n".join(problems))
        return self


def usual_class(name: str) -> DataClass | None:
    """Of a quantity or of a kind; None when there is neither."""
    found = quantities().get(name)
    return found.data_class if found else KINDS.get(name)


@dataclass(frozen=True, slots=True)
class ClassRules:
    """The classes and export rules of one plant."""

    said: Mapping[str, DataClass | Lowered] = field(default_factory=dict)
    export: ExportConfig = field(default_factory=ExportConfig)

    def of(self, name: str) -> DataClass:
        """Of a quantity or kind. KeyError when there is neither."""
        said = self.said.get(name)
        if said is not None:
            return said.class_ if isinstance(said, Lowered) else said
        usual = usual_class(name)
        if usual is None:
            raise KeyError(name)
        return usual

    def highest(self, names: Iterable[str]) -> DataClass:
        return max((self.of(name) for name in names), key=RANK.index, default=DataClass.GENERAL)

    @property
    def changed(self) -> list[tuple[str, DataClass, DataClass, str]]:
        """(name, usual, now, why and by whom) of what the plant classed otherwise."""
        found = []
        for name, said in self.said.items():
            usual = usual_class(name)
            now = self.of(name)
            if usual is not None and usual != now:
                told = f"{said.why} ({said.by})" if isinstance(said, Lowered) else ""
                found.append((name, usual, now, told))
        return found


def rules_in(tables: Mapping[str, object], path: Path) -> ClassRules:
    """Of a parsed config. Raises ConfigError with every mistake."""
    mine = {key: tables[key] for key in ("classes", "export") if key in tables}
    try:
        made = TypeAdapter(ClassTables).validate_python(mine)
    except ValidationError as error:
        problems: list[str] = []
        for mistake in error.errors():
            where = ".".join(str(part) for part in mistake["loc"] if str(part) != "Lowered")
            texts = str(mistake["msg"]).removeprefix("Value error, ").split("\n")
            problems += (f"{path.name}: {where + ': ' if where else ''}{text}" for text in texts)
        raise ConfigError(problems) from None
    return ClassRules(made.classes, made.export)


BESIDE = ("gateway.toml", "historian.toml")  # as they are called in /etc/smelter


def rules_around(config: Path) -> tuple[ClassRules, list[Path]]:
    """
    Of a site and of the gateway and historian whose configs lie beside it: batches come from there.

    Also those of them that this user may not read. Raises ConfigError with every mistake.
    """
    there = [each for name in BESIDE if (each := config.with_name(name)).is_file()]
    read = [each for each in there if os.access(each, os.R_OK)]
    return rules_of(config, *read), [each for each in there if each not in read]


def _with_others(configs: Iterable[Path]) -> Iterator[ClassRules]:
    """Each config and those its ``[export] also`` names, once."""
    done, waiting = set(), list(configs)
    while waiting:
        path = waiting.pop(0)
        if path.resolve() in done:
            continue
        done.add(path.resolve())
        found = rules_in(read_tables(path), path)
        waiting += [path.parent / each for each in found.export.also]
        yield found


def rules_of(*configs: Path) -> ClassRules:
    """Of several configs together: the highest class and the strictest rule count."""
    said: dict[str, DataClass | Lowered] = {}
    export = ExportConfig()
    strict = ("free", "approved", "refused")
    for found in _with_others(configs):
        for name, value in found.said.items():
            before = ClassRules({name: said[name]}).of(name) if name in said else None
            new = value.class_ if isinstance(value, Lowered) else value
            if before is None or RANK.index(new) > RANK.index(before):
                said[name] = value
        stricter = {
            each.value: max(export.rule(each), found.export.rule(each), key=strict.index)
            for each in RANK
        }
        approvals = (*export.approvals, *found.export.approvals)
        export = export.model_copy(update={**stricter, "approvals": approvals})
    return ClassRules(said, export)


@dataclass(frozen=True, slots=True)
class Wish:
    """Data that shall leave: by which way, whither, and who approves it for which reason."""

    way: Way
    name: str = ""
    approved_by: str = ""
    why: str = ""


def permit(rules: ClassRules, data_class: DataClass, wish: Wish, today: date) -> dict[str, str]:
    """Details for the act ``export.made``. Raises ConfigError that says what is needed."""
    rule = rules.export.rule(data_class)
    label = NAMES[data_class]
    details = {"class": str(data_class), "way": wish.way, "rule": rule}
    if rule == "free":
        asked = {"approved_by": wish.approved_by} if wish.approved_by else {}
        return details | asked
    if rule == "refused":
        told = say(
            f'含“{label.zh}”数据，[export] {data_class} = "refused" 不允许导出（{wish.way}）',
            f"has {label.en} data, which may not leave ({wish.way}): "
            f'[export] {data_class} = "refused"',
        )
        raise ConfigError([told])
    if wish.approved_by.strip() and wish.why.strip():
        return details | {"approved_by": wish.approved_by.strip()}
    for each in rules.export.approvals:
        fits = each.way == wish.way and each.name in {"", wish.name}
        if fits and (each.until is None or today <= each.until):
            return details | {"approved_by": each.by, "approval": each.why}
    told = say(
        f"含“{label.zh}”数据，导出（{wish.way} {wish.name}）须经批准：请加 --approved-by 姓名 "
        f"--why 理由，或在 [[export.approvals]] 写明长期批准",
        f"has {label.en} data; to let them leave ({wish.way} {wish.name}) somebody must approve: "
        f"--approved-by NAME --why REASON, or a standing approval in [[export.approvals]]",
    )
    raise ConfigError([told])
