"""What an indicator needs as proof: the kinds of evidence a table may ask for, with parameters."""

from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from drivers.config import NAME, Strict
from drivers.language import say
from reports.entries.kinds import KINDS as ENTRIES
from reports.values import Text

Word = Annotated[str, Field(pattern=NAME)]
Outlet = Annotated[str, Field(min_length=1)]  # permit number of an outlet, DA001


class LimitsMet(Strict):
    """
    Every valid hour of the twelve months is at or below ``limit`` mg/m3 (dry, standard state, at
    ``reference_o2`` % where the table sets one). No ``stacks``: all of the industry that have the
    pollutant.
    """

    kind: Literal["limits_met"]
    pollutant: Word
    limit: Decimal = Field(gt=0, le=10_000)
    unit: Literal["mg/m3"] = "mg/m3"
    reference_o2: Decimal | None = Field(default=None, gt=0, lt=21)
    stacks: tuple[Outlet, ...] = ()


class NoExceedance(Strict):
    """No hour above the permit in twelve months but such as were reported when they occurred."""

    kind: Literal["no_exceedance"]
    stacks: tuple[Outlet, ...] = ()


class Uptime(Strict):
    """At least ``percent`` of hours have valid data: of CEMS, or of the site's DCS points."""

    kind: Literal["uptime"]
    of: Literal["cems", "dcs"]
    percent: Decimal = Field(gt=0, le=100)


class Retention(Strict):
    """Records of the last ``days`` days are really in the archive, point by point, by query."""

    kind: Literal["retention"]
    of: Literal["cems", "dcs"]
    days: int = Field(gt=0, le=3660)


class Interlock(Strict):
    """Control equipment runs while production runs; ``minutes`` a year may be missed."""

    kind: Literal["interlock"]
    stacks: tuple[Outlet, ...] = ()
    minutes: Decimal = Field(default=Decimal(0), ge=0)


class Document(Strict):
    """A document of that kind in the journal: file unchanged, valid on the day."""

    kind: Literal["document"]
    what: Word
    count: int = Field(default=1, gt=0, le=100)  # so many different files


class Declaration(Strict):
    """A declaration of that kind in the journal, signed by a person and valid on the day."""

    kind: Literal["declaration"]
    what: Word


class NoPenalty(Strict):
    """No penalty in the twelve months, declared by a person, and none in the journal."""

    kind: Literal["no_penalty"]


class Share(Strict):
    """
    At least ``percent`` of the entries of a kind are of these items: trips by vehicle class,
    tonnes by mode, vehicles and machines by stage (of the last month that states them).
    """

    kind: Literal["share"]
    of: Literal["gate_trips", "transport_tonnage", "plant_vehicles", "nonroad_machines"]
    classes: tuple[Word, ...] = Field(min_length=1)
    percent: Decimal = Field(gt=0, le=100)

    @model_validator(mode="after")
    def _known(self) -> Self:
        items = ENTRIES[self.of].items
        known = {} if items is None else items.names
        if wrong := [each for each in self.classes if each not in known]:
            raise ValueError(
                say(
                    f"没有 {'、'.join(wrong)}；有 {'、'.join(known)}",
                    f"no {', '.join(wrong)}; there are {', '.join(known)}",
                )
            )
        return self


class LedgerKept(Strict):
    """An entry of each of these kinds in each of the twelve months."""

    kind: Literal["ledger"]
    entries: tuple[Word, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _known(self) -> Self:
        if wrong := [each for each in self.entries if each not in ENTRIES]:
            raise ValueError(
                say(f"没有录入项 {'、'.join(wrong)}", f"no kind of entry {', '.join(wrong)}")
            )
        return self


class NoneKnown(Strict):
    """Nobody could read the table: which proof it asks for is unknown."""

    kind: Literal["none_known"]


Evidence = Annotated[
    LimitsMet
    | NoExceedance
    | Uptime
    | Retention
    | Interlock
    | Document
    | Declaration
    | NoPenalty
    | Share
    | LedgerKept
    | NoneKnown,
    Field(discriminator="kind"),
]

KINDS: Final[dict[str, Text]] = {
    "limits_met": Text(zh="全年有效小时均值达到限值", en="limit met in every valid hour"),
    "no_exceedance": Text(zh="全年无超标", en="no exceedance in the year"),
    "uptime": Text(zh="数据有效率", en="share of hours with valid data"),
    "retention": Text(zh="历史数据实际留存", en="records really kept"),
    "interlock": Text(zh="治理设施与生产同步运行", en="control runs while production runs"),
    "document": Text(zh="文件", en="document"),
    "declaration": Text(zh="声明", en="declaration"),
    "no_penalty": Text(zh="一年内无处罚", en="no penalty within the year"),
    "share": Text(zh="运输车辆占比", en="share of vehicle classes"),
    "ledger": Text(zh="台账逐月齐全", en="ledger kept each month"),
    "none_known": Text(zh="未知", en="unknown"),
}

WORDS: Final[dict[str, Text]] = {  # documents and declarations; the key is what a record serves
    "control_design": Text(zh="治理设施设计文件", en="design of the treatment unit"),
    "fuel_contract": Text(zh="燃料购销合同及检测报告", en="fuel contract and analysis"),
    "fugitive_check": Text(zh="无组织排放管控核查记录", en="check of fugitive controls"),
    "gate_acceptance": Text(zh="门禁验收文件", en="acceptance of the gate system"),
    "joint_cut": Text(zh="区域协同减排文件", en="paper on joint cuts"),
    "ministry_listing": Text(zh="工信部规范条件公告", en="listing by the ministry"),
    "permit_report": Text(zh="排污许可执行报告", en="report under the permit"),
    "self_monitoring": Text(zh="自行监测报告", en="report of own monitoring"),
    "stable_running": Text(zh="稳定运行证明", en="proof of stable running"),
    "maintenance_log": Text(zh="设备维护检修台账", en="log of maintenance"),
    "ledgers_by_year": Text(zh="台账分年度保存声明", en="ledgers kept by year, declared"),
    "no_penalty": Text(zh="一年内无处罚声明", en="declaration of no penalty"),
}


def word_text(word: str) -> Text:
    """What a document is called, with the key by which a record names it; else the key alone."""
    known = WORDS.get(word)
    if known is None:
        return Text(zh=word, en=word)
    return Text(zh=f"{known.zh}（{word}）", en=f"{known.en} ({word})")


POLLUTANTS: Final[dict[str, Text]] = {
    "pm": Text(zh="颗粒物", en="particulate matter"),
    "so2": Text(zh="二氧化硫", en="SO2"),
    "nox": Text(zh="氮氧化物", en="NOx"),
    "fluoride": Text(zh="氟化物", en="fluoride"),
    "nh3": Text(zh="氨", en="ammonia"),
    "asphalt_fume": Text(zh="沥青烟", en="asphalt fume"),
}


def number_of(evidence: Evidence) -> tuple[Decimal, str] | None:
    """The number of the table in it, with the unit of rules; None where there is none."""
    match evidence:
        case LimitsMet():
            return evidence.limit, "mg_per_m3"
        case Uptime() | Share():
            return evidence.percent, "%"
        case Retention():
            return Decimal(evidence.days), "days"
        case _:
            return None
