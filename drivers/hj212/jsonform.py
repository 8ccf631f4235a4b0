"""Frame ↔ JSON: what ``smelter hj212 decode --json`` prints and ``encode`` takes."""

from collections.abc import Mapping
from typing import Any

from drivers.hj212.codes import commands
from drivers.hj212.defects import Defect
from drivers.hj212.factors import find_factor
from drivers.hj212.frame import Frame
from drivers.hj212.segment import Field, Item, Segment, flag_of, moment, parse_body
from drivers.hj212.values import Value
from drivers.language import say

Json = dict[str, Any]  # the border to JSON


def frame_json(frame: Frame) -> Json:
    """All of a frame; ``errors`` are what breaks it or its form, ``remarks`` odd values."""
    segment = frame.segment
    time = moment(segment.get("DataTime"))
    shown: Json = {
        "ok": frame.ok,
        "crc": frame.crc,
        "crc_expected": frame.crc_expected,
        "crc_kind": frame.crc_kind,
        "length": frame.declared,
        "at": frame.at,
        "encrypted": frame.encrypted,
        "errors": [_defect(each) for each in frame.defects if each.severity != "remark"],
        "remarks": [_defect(each) for each in frame.defects if each.severity == "remark"],
        "version": segment.version,
        "qn": segment.qn,
        "st": segment.st,
        "cn": segment.cn,
        "meaning": _meaning(segment.cn),
        "pw": segment.pw,
        "mn": segment.mn,
        "flag": segment.flag,
        "pnum": segment.pnum,
        "pno": segment.pno,
        "rf": segment.rf,
        "data_time": None if time is None else time.isoformat(),
        "fields": {each.name: each.value for each in segment.fields() if "-" not in each.name},
        "data": _data(frame.values),
        "names": _names(frame.values),
        "cp": [[each.text for each in item] for item in segment.cp],
    }
    try:
        shown["segment"] = frame.plain.decode("utf-8")
    except UnicodeDecodeError:
        shown["segment_hex"] = frame.plain.hex()
    return shown


def _defect(defect: Defect) -> Json:
    return {
        "code": defect.code,
        "severity": defect.severity,
        "at": defect.at,
        "zh": defect.zh,
        "en": defect.en,
    }


def _meaning(cn: str) -> Json | None:
    command = commands().get(cn)
    way = None if command is None else command.up or command.down
    return None if way is None else {"zh": way.zh, "en": way.en}


def _data(values: tuple[Value, ...]) -> Json:
    data: Json = {}
    for value in values:
        told: Json = {
            "number": value.number,
            "text": value.text,
            "flag": value.flag or None,
            "unit": value.unit or None,
        }
        if value.not_calculable:
            told["not_calculable"] = True
        data.setdefault(value.factor, {})[value.suffix] = told
    return data


def _names(values: tuple[Value, ...]) -> Json:
    names: Json = {}
    for value in values:
        factor = find_factor(value.factor)
        if factor is not None:
            names[value.factor] = {"zh": factor.zh, "en": factor.en}
    return names


class WrongJsonError(ValueError):
    """An object that says no packet; ``problems``: every reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def verbatim(told: Mapping[str, Any]) -> bytes:
    """The data segment as it was received. Raises WrongJsonError when the object has none."""
    text, octets = told.get("segment"), told.get("segment_hex")
    try:
        if isinstance(text, str):
            return text.encode("utf-8")
        if isinstance(octets, str):
            return bytes.fromhex(octets)
    except ValueError:
        pass
    raise WrongJsonError([say("没有 segment 或 segment_hex", "no segment and no segment_hex")])


def segment_of(told: Mapping[str, Any]) -> Segment:
    """
    The segment an object describes: its head, and ``cp`` (a text or lists of texts) or ``data``.

    Without ``flag`` it is made of ``version`` (2017), ``answer`` and the packet number. Raises
    WrongJsonError.
    """
    problems: list[str] = []
    texts = {name: _text(told, name, problems) for name in ("qn", "st", "cn", "pw", "mn")}
    numbers = {name: _whole(told, name, problems) for name in ("flag", "pnum", "pno", "version")}
    flag = numbers["flag"]
    if flag is None:
        version = numbers["version"] or 2017
        if version not in {2017, 2025}:
            problems.append(say("version：2017 或 2025", "version: 2017 or 2025"))
            version = 2017
        numbered = numbers["pnum"] is not None
        flag = flag_of(version, answer=told.get("answer") is True, numbered=numbered)
    body = _body(told, problems)
    if problems:
        raise WrongJsonError(problems)
    return Segment(
        qn=texts["qn"],
        st=texts["st"],
        cn=texts["cn"],
        pw=texts["pw"],
        mn=texts["mn"],
        flag=flag,
        cp=body,
        pnum=numbers["pnum"],
        pno=numbers["pno"],
        rf=told.get("rf") is True,
    )


def _text(told: Mapping[str, Any], name: str, problems: list[str]) -> str:
    value = told.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        problems.append(say(f"{name}：应为文本", f"{name}: a text is needed"))
        return ""
    return str(value)


def _whole(told: Mapping[str, Any], name: str, problems: list[str]) -> int | None:
    value = told.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    problems.append(say(f"{name}：应为整数", f"{name}: a whole number is needed"))
    return None


def _body(told: Mapping[str, Any], problems: list[str]) -> tuple[Item, ...]:
    body = told.get("cp")
    if isinstance(body, str):
        return parse_body(body)
    if body is not None:
        try:
            return parse_body(";".join(",".join(item) for item in body))
        except TypeError:
            problems.append(
                say("cp：应为文本或文本数组的数组", "cp: a text, or lists of texts, is needed")
            )
            return ()
    items = [(Field(name, value),) for name, value in _fields(told, problems)]
    data = told.get("data") or {}
    if not isinstance(data, Mapping):
        problems.append(say("data：应为对象", "data: an object is needed"))
        return ()
    return (*items, *(_item(factor, fields, problems) for factor, fields in data.items()))


def _fields(told: Mapping[str, Any], problems: list[str]) -> list[tuple[str, str]]:
    fields = told.get("fields") or {}
    if not isinstance(fields, Mapping) or not all(isinstance(v, str) for v in fields.values()):
        problems.append(say("fields：应为 名: 文本", "fields: names with texts are needed"))
        return []
    return [(name, str(value)) for name, value in fields.items()]


def _item(factor: str, fields: object, problems: list[str]) -> Item:
    """One factor: ``{"Rtd": 1.5 | "1.50" | {"text": "1.50", "flag": "N"}, "Flag": "N"}``."""
    wrong = say(f"data.{factor}：数值或文本", f"data.{factor}: numbers or texts are needed")
    if not isinstance(fields, Mapping):
        problems.append(wrong)
        return ()
    item: list[Field] = []
    flag: str | None = None
    for suffix, entry in fields.items():
        value = entry
        if isinstance(entry, Mapping):
            flag = entry.get("flag") or flag
            value = entry.get("text", entry.get("number"))
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            problems.append(wrong)
            continue
        text = value if isinstance(value, str) else f"{value:.10f}".rstrip("0").rstrip(".")
        item.append(Field(f"{factor}-{suffix}", text))
    if flag is not None and "Flag" not in fields:
        item.append(Field(f"{factor}-Flag", flag))
    return tuple(item)
