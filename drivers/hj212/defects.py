"""
What can be wrong with a frame, by a stable code: text in both languages, and how much it matters.

``broken``: the frame is not to be trusted (length, sum). ``form``: it breaks the standard's form
and is read all the same. ``remark``: a value or habit somebody should look at; our own limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from drivers.language import say

Severity = Literal["broken", "form", "remark"]

MOST = 64  # defects kept of one frame; a hostile one could have thousands


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing that is wrong, and at which byte of the frame; texts are made when read."""

    code: str
    at: int
    facts: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def severity(self) -> Severity:
        return CATALOGUE[self.code][0]

    @property
    def zh(self) -> str:
        return CATALOGUE[self.code][1].format(**self._shown())

    @property
    def en(self) -> str:
        return CATALOGUE[self.code][2].format(**self._shown())

    @property
    def text(self) -> str:
        return say(self.zh, self.en)

    def _shown(self) -> dict[str, str]:
        return {name: _shown(fact) for name, fact in self.facts.items()}


class Defects:
    """Collects the defects of one frame, at most MOST of them; the rest are counted."""

    def __init__(self) -> None:
        self._found: list[Defect] = []
        self._left_off = 0

    def add(self, code: str, at: int, **facts: object) -> None:
        """Note one; ``facts`` fill the placeholders of its texts."""
        if len(self._found) < MOST:
            self._found.append(Defect(code, at, facts))
        else:
            self._left_off += 1

    def all(self) -> tuple[Defect, ...]:
        """Those that break the frame first, then in the order of the bytes."""
        found = self._found
        if self._left_off:
            found = [*found, Defect("more", 0, {"n": self._left_off})]
        return tuple(sorted(found, key=lambda each: (_RANK[each.severity], each.at)))


_RANK = {"broken": 0, "form": 1, "remark": 2}
_LONG = 40


def _shown(fact: object) -> str:
    """Short and printable: a frame may hold anything."""
    text = str(fact) or '""'
    if len(text) > _LONG:
        text = text[: _LONG - 1] + "…"
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


CATALOGUE: dict[str, tuple[Severity, str, str]] = {
    # --- frame
    "crc_wrong": (
        "broken",
        "CRC 错误：收到 {received}，按 HJ 212 附录 A 应为 {expected}",
        "wrong CRC: received {received}, by HJ 212 Appendix A it is {expected}",
    ),
    "crc_modbus": (
        "broken",
        "CRC 为 Modbus 算法（{received}），应按 HJ 212 附录 A 计算为 {expected}；请修改数采仪设置",
        "a Modbus CRC ({received}); by HJ 212 Appendix A it is {expected}: correct the logger",
    ),
    "crc_modbus_swapped": (
        "broken",
        "CRC 为 Modbus 算法且高低字节颠倒（{received}），应为 {expected}；请修改数采仪设置",
        "a Modbus CRC, low byte first ({received}); it should be {expected}: correct the logger",
    ),
    "crc_swapped": (
        "broken",
        "CRC 高低字节颠倒：收到 {received}，应为 {expected}",
        "CRC bytes are swapped: received {received}, should be {expected}",
    ),
    "crc_missing": (
        "broken",
        "缺 CRC：数据段后不是 4 位十六进制数，应为 {expected}",
        "no CRC: no four hex digits after the segment; should be {expected}",
    ),
    "encrypted": (
        "broken",
        "数据区已加密（SM4）且未提供密钥：CRC 按明文计算，无法核对",
        "the body is encrypted (SM4) and no key was given: the CRC is of the plain text, unchecked",
    ),
    "key_wrong": (
        "broken",
        "用所给 SM4 密钥解密后 CRC 仍不符：密钥错误或数据损坏",
        "with the given SM4 key the CRC does not fit: another key, or damaged data",
    ),
    "length_wrong": (
        "broken",
        "数据段长度错误：写为 {declared}，实为 {actual} 字节",
        "wrong length: {declared} declared, the segment has {actual} bytes",
    ),
    "truncated": (
        "broken",
        "报文不完整：声明 {declared} 字节，只收到 {actual} 字节",
        "cut off: {declared} bytes declared, {actual} received",
    ),
    "crc_lower_case": ("form", "CRC 使用小写字母：{received}", "lower-case CRC: {received}"),
    "no_crlf": ("form", "包尾不是 <CR><LF>", "does not end with CR LF"),
    "segment_too_long": (
        "form",
        "数据段 {length} 字节，超过 1024，应分包",
        "segment of {length} bytes, more than 1024: it should be split",
    ),
    # --- head
    "qn_missing": ("form", "缺 QN", "QN is missing"),
    "st_missing": ("form", "缺 ST", "ST is missing"),
    "cn_missing": ("form", "缺 CN", "CN is missing"),
    "pw_missing": ("form", "缺 PW", "PW is missing"),
    "mn_missing": ("form", "缺 MN", "MN is missing"),
    "flag_missing": (
        "form",
        "缺 Flag（HJ/T 212-2005 的写法），视为不需应答、不分包",
        "Flag is missing (as in HJ/T 212-2005); read as no answer wanted, not split",
    ),
    "qn_form": (
        "form",
        "QN 应为 17 位时间（精确到毫秒）：{text}",
        "QN is a time of 17 digits (with ms), not {text}",
    ),
    "st_unknown": ("form", "未知系统编码 ST={text}", "unknown ST={text}"),
    "st_wrong_kind": (
        "form",
        "ST={st}（{zh_name}）与废气因子 {factor} 不符，应为 31",
        "ST={st} ({en_name}) with air factor {factor}; should be 31",
    ),
    "cn_unknown": ("form", "未知命令编码 CN={text}", "unknown CN={text}"),
    "cn_other_version": (
        "form",
        "命令 CN={cn} 属于 HJ 212-{since}，Flag 写的版本是 {version}",
        "CN={cn} belongs to HJ 212-{since}, the Flag says {version}",
    ),
    "pw_form": ("form", "PW 应为 6 位：{text}", "PW has 6 characters, not {text}"),
    "mn_form": ("form", "MN 应为 24 位字母数字：{text}", "MN has 24 letters or digits, not {text}"),
    "mn_not_hex": (
        "remark",
        "MN 含 0~9、A~F 以外的字符（2017 版规定 EPC-96 十六进制）：{text}",
        "MN with other than 0-9, A-F (2017: EPC-96 in hex): {text}",
    ),
    "flag_form": (
        "form",
        "Flag 应为 0~255 的整数：{text}",
        "Flag is a whole number 0-255, not {text}",
    ),
    "flag_2005": (
        "form",
        "Flag={flag}：版本位为 0（HJ/T 212-2005）",
        "Flag={flag}: version bits 0 (HJ/T 212-2005)",
    ),
    "flag_version": (
        "form",
        "Flag={flag}：未知的标准版本",
        "Flag={flag}: unknown version of the standard",
    ),
    "flag_not_numbered": (
        "form",
        "有 PNUM/PNO，但 Flag={flag} 未置包号位",
        "PNUM/PNO without the bit for them in Flag={flag}",
    ),
    "pno_missing": (
        "form",
        "Flag={flag} 表示有包号，但缺 PNUM 或 PNO",
        "Flag={flag} says numbered, but PNUM or PNO is missing",
    ),
    "pno_form": (
        "form",
        "包号应为 1 ≤ PNO ≤ PNUM ≤ {most}：PNUM={pnum}，PNO={pno}",
        "packet number: 1 <= PNO <= PNUM <= {most}, not PNUM={pnum}, PNO={pno}",
    ),
    "rf_form": (
        "form",
        "RF 只能为 1（非补传时无此字段），按非补传处理：{text}",
        "RF is 1 or absent; read as not backfilled: {text}",
    ),
    "rf_version": ("form", "RF 是 2025 版字段", "RF is a field of 2025 only"),
    "head_comma": (
        "form",
        "报文头字段间用了“,”，应为“;”",
        "a comma between fields of the head, should be a semicolon",
    ),
    "head_order": (
        "form",
        "报文头字段次序不符：{text}",
        "the order of the head differs: {text}",
    ),
    "head_unknown": ("form", "报文头有未知字段：{text}", "unknown field in the head: {text}"),
    "head_case": (
        "form",
        "字段名区分大小写：{text} 应为 {right}",
        "names are case-sensitive: {text} should be {right}",
    ),
    "head_twice": ("form", "报文头字段重复：{text}", "twice in the head: {text}"),
    "space": ("form", "多余的空白字符：{text}", "stray blank: {text}"),
    # --- body
    "cp_missing": ("form", "缺数据区 CP=&&…&&", "no body CP=&&…&&"),
    "cp_form": ("form", "数据区首尾应为 CP=&& 与 &&", "the body stands between CP=&& and &&"),
    "cp_too_long": (
        "form",
        "数据区 {length} 字节，超过 950，应分包",
        "body of {length} bytes, more than 950: it should be split",
    ),
    "not_utf8": (
        "form",
        "非 ASCII 字符不是 UTF-8 编码，按 {encoding} 读取",
        "non-ASCII text is not UTF-8; read as {encoding}",
    ),
    "not_text": (
        "form",
        "含控制字符或无法识别的字节",
        "control characters, or bytes that are no text",
    ),
    "item_empty": (
        "form",
        "空项目（多余的“;”或“,”）",
        "empty item (a semicolon or comma too many)",
    ),
    "no_equals": ("form", "缺“=”：{text}", "no equals sign: {text}"),
    "item_comma": (
        "form",
        "不同因子间用了“,”，应为“;”：{text}",
        "a comma between different factors, should be a semicolon: {text}",
    ),
    "item_semicolon": (
        "form",
        "同一因子的字段间用了“;”，应为“,”：{text}",
        "a semicolon between fields of one factor, should be a comma: {text}",
    ),
    "field_twice": ("form", "字段重复：{text}（取第一个）", "twice: {text} (the first counts)"),
    "factor_unknown": ("form", "未知因子编码：{text}", "unknown factor code: {text}"),
    "factor_old": (
        "form",
        "旧因子编码 {text}，现为 {now}（{zh_name}）",
        "old factor code {text}, now {now} ({en_name})",
    ),
    "suffix_unknown": ("form", "未知字段：{text}", "unknown field: {text}"),
    "number_form": ("form", "不是数值：{text}", "not a number: {text}"),
    "number_missing": ("form", "数值为空：{text}", "no number: {text}"),
    "data_flag_unknown": ("form", "未知数据标记：{text}", "unknown data flag: {text}"),
    "data_flag_missing": ("form", "因子 {factor} 缺数据标记", "factor {factor} has no data flag"),
    "data_time_missing": ("form", "缺 DataTime", "DataTime is missing"),
    "data_time_form": (
        "form",
        "DataTime 应为 14 位时间：{text}",
        "DataTime is a time of 14 digits, not {text}",
    ),
    "time_form": ("form", "不是时间：{text}", "not a time: {text}"),
    # --- remarks
    "data_time_not_start": (
        "remark",
        "DataTime 应为时段的起始时刻：{text}",
        "DataTime should be the start of its period: {text}",
    ),
    "not_calculable": (
        "remark",
        "{text}：最大值占位，表示折算值无法计算（2025 版 8.1.1 d），不作数值使用",
        "{text}: the largest value stands for not calculable (2025, 8.1.1 d), not used as a value",
    ),
    "pressure_pa": (
        "remark",
        "{text} 疑以 Pa 上报，规定单位为 kPa",
        "{text} looks like Pa, the unit is kPa",
    ),
    "flow_m3_h": (
        "remark",
        "{text} 疑以 m3/h 上报，规定单位为 m3/s",
        "{text} looks like m3/h, the unit is m3/s",
    ),
    "implausible": (
        "remark",
        "{text} 超出常见范围 {low}~{high} {unit}",
        "{text} is outside the usual {low} to {high} {unit}",
    ),
    "min_avg_max": (
        "remark",
        "{factor}：最小、平均、最大值次序不合理",
        "{factor}: min, mean and max are out of order",
    ),
    "total_differs": (
        "remark",
        "{factor}：累计值与均值×时长相差 {percent} %（可能干湿基或单位不同）",
        "{factor}: total and mean × time differ by {percent} % (dry or wet, or another unit)",
    ),
    "more": ("remark", "另有 {n} 处问题未列出", "{n} more not listed"),
}
