"""What each kind of record holds: its words, its facts and how they are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reports.journal.record import Kind
from reports.values import Text


class As(StrEnum):
    """How a fact is written."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    MOMENT = "moment"  # day and minute, plant time
    RESULT = "result"  # pass | fail, 合格 | 不合格
    PAIRS = "pairs"  # reference/CEMS, separated by ;


class End(StrEnum):
    """Whether a record ends."""

    NEEDED = "needed"
    MAY = "may"  # left out: it is over at once, or still lasts
    FROM_FACT = "from fact"  # the day after ``valid_until``


@dataclass(frozen=True, slots=True)
class Fact:
    """A further column of a kind; ``needed`` may be told by what is recorded."""

    id: str
    zh: str
    en: str
    how: As = As.TEXT
    needed: bool = False

    @property
    def name(self) -> Text:
        return Text(zh=self.zh, en=self.en)


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of record. ``words`` are what it may be; of ``one`` pollutant, or any number."""

    kind: Kind
    name: Text
    words: Mapping[str, Text]
    facts: tuple[Fact, ...]
    end: End = End.NEEDED
    of_stack: bool = True
    one: bool = False
    document: bool = False  # only with a document that proves it

    @property
    def sheet(self) -> str:
        """Its sheet of the template."""
        return f"{self.name.zh} {self.name.en}"


_MARKS: Final = {
    "start_up": Text(zh="启动", en="start-up"),
    "shut_down": Text(zh="停机过程", en="shut-down"),
    "stopped": Text(zh="停运", en="stopped"),
    "calibration": Text(zh="校准", en="calibration"),
    "maintenance": Text(zh="维护", en="maintenance"),
    "fault": Text(zh="故障", en="fault"),
    "force_majeure": Text(zh="非企业原因缺失", en="missing, not the plant's fault"),
}
_CHECKS: Final = {
    "calibration_auto": Text(zh="自动校准", en="automatic calibration"),
    "calibration": Text(zh="手工校准", en="manual calibration"),
    "full_path": Text(zh="全系统校准", en="full-path calibration"),
    "cleaning": Text(zh="清洁维护", en="cleaning"),
}
_VERIFICATIONS: Final = {
    "verification": Text(zh="校验", en="verification"),
    "acceptance": Text(zh="验收比对", en="acceptance"),
    "inspection": Text(zh="监督比对", en="inspection by the authority"),
}
_EXCEEDANCES: Final = {
    "process": Text(zh="生产工艺异常", en="production process"),
    "control": Text(zh="治理设施异常", en="treatment unit"),
    "start_stop": Text(zh="启停过程", en="start-up or shut-down"),
    "instrument": Text(zh="监测设备异常", en="instrument"),
    "other": Text(zh="其他原因", en="other cause"),
}
_ALERTS: Final = {
    "yellow": Text(zh="黄色预警", en="yellow alert"),
    "orange": Text(zh="橙色预警", en="orange alert"),
    "red": Text(zh="红色预警", en="red alert"),
}
_DOCUMENTS: Final = {
    "document": Text(zh="证明文件", en="document"),
    "declaration": Text(zh="声明", en="declaration"),
}
_LIMITS: Final = (
    Fact("limit_source", "限值出处", "source of the limits"),
    Fact("result", "结论", "result", As.RESULT),
)

FORMS: Final[Mapping[Kind, Form]] = {
    form.kind: form
    for form in (
        Form(
            "mark",
            Text(zh="标记", en="Marks"),
            _MARKS,
            (
                Fact("sub_item", "平台标记子项", "sub-item of the platform"),
                Fact("proof_id", "平台佐证编号", "proof id of the platform"),
                Fact("group_id", "平台标记组号", "group id of the platform"),
            ),
        ),
        Form(
            "check",
            Text(zh="校准检查", en="Checks"),
            _CHECKS,
            (
                Fact("gas", "标准物质", "reference material"),
                Fact("gas_bottle", "标气瓶号", "gas bottle"),
                Fact("gas_expiry", "标气有效期至", "gas valid until", As.DATE),
                Fact("full_scale", "量程", "full scale", As.NUMBER),
                Fact("zero_reference", "零点标准值", "zero reference", As.NUMBER),
                Fact("zero_before", "零点校前示值", "zero before", As.NUMBER),
                Fact("zero_after", "零点校后示值", "zero after", As.NUMBER),
                Fact("span_reference", "跨度标准值", "span reference", As.NUMBER),
                Fact("span_before", "跨度校前示值", "span before", As.NUMBER),
                Fact("span_after", "跨度校后示值", "span after", As.NUMBER),
                Fact("zero_limit", "零点漂移限值 %FS", "zero drift limit % FS", As.NUMBER),
                Fact("span_limit", "跨度漂移限值 %FS", "span drift limit % FS", As.NUMBER),
                Fact("zero_control", "零点失控限值 %FS", "zero control limit % FS", As.NUMBER),
                Fact("span_control", "跨度失控限值 %FS", "span control limit % FS", As.NUMBER),
                *_LIMITS,
            ),
            end=End.MAY,
        ),
        Form(
            "verification",
            Text(zh="比对校验", en="Verifications"),
            _VERIFICATIONS,
            (
                Fact("pairs", "参比值/CEMS 值", "reference/CEMS pairs", As.PAIRS, needed=True),
                Fact("method", "参比方法", "reference method", needed=True),
                Fact("laboratory", "检测机构", "laboratory", needed=True),
                Fact("report_number", "报告编号", "report number", needed=True),
                Fact("limit", "限值", "limit", As.NUMBER),
                *_LIMITS,
            ),
            end=End.MAY,
            one=True,
            document=True,
        ),
        Form(
            "exceedance",
            Text(zh="超标处置", en="Exceedances"),
            _EXCEEDANCES,
            (
                Fact("cause", "超标原因", "cause", needed=True),
                Fact("measures", "处置措施", "what was done", needed=True),
                Fact("reported_to", "报告对象", "reported to"),
                Fact("reported_at", "报告时间", "reported at", As.MOMENT),
                Fact("report_number", "报告编号", "report number"),
                Fact("not_reported", "未报告的理由", "why it was not reported"),
            ),
            one=True,
        ),
        Form(
            "alert",
            Text(zh="重污染天气预警", en="Alerts"),
            _ALERTS,
            (
                Fact("order", "预警文号", "number of the order", needed=True),
                Fact("issuer", "发布机关", "issued by", needed=True),
            ),
            end=End.MAY,
            of_stack=False,
            document=True,
        ),
        Form(
            "document",
            Text(zh="文件声明", en="Documents"),
            _DOCUMENTS,
            (
                Fact("title", "文件名称", "title", needed=True),
                Fact("serves", "用于（指标编号）", "serves (ids of indicators)", needed=True),
                Fact("person", "责任人", "person", needed=True),
                Fact("valid_until", "有效期至", "valid until", As.DATE),
            ),
            end=End.FROM_FACT,
            of_stack=False,
            document=True,
        ),
    )
}
_SHORT: Final[Mapping[Kind, str]] = {  # as people say it
    "mark": "标记",
    "check": "校准",
    "verification": "校验",
    "exceedance": "超标",
    "alert": "预警",
    "document": "文件",
}
FACTS: Final[Mapping[str, Fact]] = {fact.id: fact for form in FORMS.values() for fact in form.facts}


def find_form(text: str) -> Form | None:
    """A form by kind, Chinese or English name, or sheet."""
    wanted = " ".join(text.lower().split())
    for form in FORMS.values():
        names = {form.kind, form.name.zh, _SHORT[form.kind], form.name.en.lower()}
        names.add(form.sheet.lower())
        if wanted in names:
            return form
    return None


def find_word(form: Form, text: str) -> str | None:
    """What a record of that kind is, by id or by name in either language."""
    wanted = " ".join(text.lower().split())
    for word, name in form.words.items():
        if wanted in {word, name.zh, name.en.lower(), word_label(word, name).lower()}:
            return word
    return None


def word_label(word: str, name: Text) -> str:
    """What the template's list shows."""
    return f"{name.zh} [{word}]"


def word_name(kind: Kind, word: str) -> Text:
    """The name of what a record is."""
    return FORMS[kind].words.get(word, Text(zh=word, en=word))
