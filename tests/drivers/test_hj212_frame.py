"""Packets of HJ 212: the standard's examples, dirty ones of the field, each defect by its name."""

import re
from collections.abc import Iterator

import pytest

from drivers.hj212.crc import crc16, crc16_modbus, crc_text, swapped
from drivers.hj212.defects import CATALOGUE, MOST
from drivers.hj212.encode import encode
from drivers.hj212.frame import Frame, decode, decode_frame
from tests.drivers.hj212_samples import (
    HEAD,
    MINUTE,
    MN,
    SEEN_GOOD,
    SEEN_MODBUS,
    STANDARD,
    packet,
)

EXAMPLE = (
    b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
    b"CP=&&RtdInterval=30&&1C80\r\n"
)


def codes(frame: Frame) -> set[str]:
    return {each.code for each in frame.defects}


def test_the_example_of_the_standard() -> None:
    frame = decode_frame(EXAMPLE)
    assert frame.ok
    assert frame.clean
    assert (frame.declared, frame.crc, frame.crc_kind) == (101, "1C80", "right")
    segment = frame.segment
    assert (segment.qn, segment.st, segment.cn) == ("20160801085857223", "32", "1062")
    assert (segment.pw, segment.mn, segment.flag) == ("100000", MN, 5)
    assert (segment.version, segment.wants_answer, segment.numbered) == (2017, True, False)
    assert segment.get("RtdInterval") == "30"
    assert encode(segment) == EXAMPLE


@pytest.mark.parametrize("text", STANDARD)
def test_examples_of_appendix_c_are_clean_and_come_back(text: str) -> None:
    sent = packet(text)
    frame = decode_frame(sent)
    assert frame.ok
    assert frame.clean, frame.defects
    assert encode(frame.segment) == sent


@pytest.mark.parametrize("sent", SEEN_GOOD)
def test_packets_of_the_field_are_read_and_their_dirt_is_listed(sent: bytes) -> None:
    frame = decode_frame(sent)
    assert frame.ok
    assert frame.crc_kind == "right"
    assert frame.raw == sent


def test_old_codes_have_todays_meaning() -> None:
    frame = decode_frame(SEEN_GOOD[3])
    value = next(each for each in frame.values if each.factor == "02" and each.suffix == "ZsRtd")
    assert (value.code, value.text, value.number) == ("a21026", "51.0317", 51.0317)
    assert (value.unit, value.flag) == ("mg/m3", "N")
    assert codes(frame) == {"flag_missing", "mn_form", "factor_old", "flow_m3_h"}


def test_a_real_modbus_sum_is_named() -> None:
    frame = decode_frame(SEEN_MODBUS)
    assert not frame.ok
    assert frame.crc_kind == "modbus_swapped"
    (broken,) = (each for each in frame.defects if each.severity == "broken")
    assert "Modbus" in broken.zh
    assert "524F" in broken.en
    assert frame.crc_expected in broken.en


def _with_sum(segment: str, total: int) -> bytes:
    return f"##{len(segment):04d}{segment}{crc_text(total)}\r\n".encode()


def _data(body: str, *, cn: str = "2011", st: str = "31") -> bytes:
    head = f"QN=20160801085857223;ST={st};CN={cn};PW=123456;MN={MN};Flag=5;"
    return packet(f"{head}CP=&&{body}&&")


TIME = "DataTime=20160801080000"
EMPTY = HEAD + "CP=&&&&"
TOTAL = crc16(EMPTY.encode())
CIPHER = b"\x9a\x00\xe4\x3e" * 8
LOCKED = HEAD.replace("Flag=5", "Flag=9").encode() + b"CP=&&" + CIPHER + b"&&"

# One packet for each defect: whatever stands in the catalogue can really be found.
CASES: dict[str, bytes] = {
    "crc_wrong": _with_sum(EMPTY, TOTAL ^ 0x0101),
    "crc_modbus": _with_sum(EMPTY, crc16_modbus(EMPTY.encode())),
    "crc_modbus_swapped": _with_sum(EMPTY, swapped(crc16_modbus(EMPTY.encode()))),
    "crc_swapped": _with_sum(EMPTY, swapped(TOTAL)),
    "crc_missing": f"##{len(EMPTY):04d}{EMPTY}\r\n".encode(),
    "encrypted": packet(LOCKED),
    "length_wrong": packet(EMPTY).replace(f"##{len(EMPTY):04d}".encode(), b"##0042"),
    "truncated": packet(EMPTY)[:60],
    "crc_lower_case": packet(EMPTY).replace(
        crc_text(TOTAL).encode(), crc_text(TOTAL).lower().encode()
    ),
    "no_crlf": packet(EMPTY, end=b"\n"),
    "segment_too_long": packet(HEAD + "CP=&&" + ";".join(["SB1-RS=1"] * 120) + "&&"),
    "cp_too_long": packet(HEAD + "CP=&&" + ";".join(["SB1-RS=1"] * 110) + "&&"),
    "qn_missing": packet(EMPTY[21:]),
    "st_missing": packet(EMPTY.replace("ST=31;", "")),
    "cn_missing": packet(EMPTY.replace("CN=2011;", "")),
    "pw_missing": packet(EMPTY.replace("PW=123456;", "")),
    "mn_missing": packet(EMPTY.replace(f"MN={MN};", "")),
    "flag_missing": packet(EMPTY.replace("Flag=5;", "")),
    "qn_form": packet(EMPTY.replace("20160801085857223", "1469999999999")),  # ms since 1970
    "st_unknown": packet(EMPTY.replace("ST=31", "ST=77")),
    "st_wrong_kind": _data(f"{TIME};a21026-Rtd=1,a21026-Flag=N", st="32"),
    "cn_unknown": packet(EMPTY.replace("CN=2011", "CN=2099")),
    "cn_other_version": packet(EMPTY.replace("CN=2011", "CN=9015")),
    "pw_form": packet(EMPTY.replace("PW=123456", "PW=12")),
    "mn_form": packet(EMPTY.replace(MN, "88888880000137")),
    "mn_not_hex": packet(EMPTY.replace(MN, "MYHJ00000000000080011121")),
    "flag_form": packet(EMPTY.replace("Flag=5", "Flag=0x5")),
    "flag_2005": packet(EMPTY.replace("Flag=5", "Flag=0")),
    "flag_version": packet(EMPTY.replace("Flag=5", "Flag=65")),
    "flag_not_numbered": packet(EMPTY.replace("Flag=5;", "Flag=5;PNUM=2;PNO=1;")),
    "pno_missing": packet(EMPTY.replace("Flag=5;", "Flag=7;PNUM=2;")),
    "pno_form": packet(EMPTY.replace("Flag=5;", "Flag=7;PNUM=2;PNO=3;")),
    "rf_form": packet(EMPTY.replace("Flag=5;", "Flag=9;RF=0;")),
    "rf_version": packet(EMPTY.replace("Flag=5;", "Flag=5;RF=1;")),
    "head_comma": packet(EMPTY.replace("ST=31;", "ST=31,")),
    "head_order": packet(EMPTY.replace("ST=31;CN=2011;", "CN=2011;ST=31;")),
    "head_unknown": packet(EMPTY.replace("ST=31;", "ST=31;XX=1;")),
    "head_case": packet(EMPTY.replace("Flag=5", "FLAG=5")),
    "head_twice": packet(EMPTY.replace("ST=31;", "ST=31;ST=32;")),
    "space": _data(f" {TIME};a21026-Rtd=1,a21026-Flag=N"),
    "cp_missing": packet(HEAD),
    "cp_form": packet(f"{HEAD}CP=&{TIME}&"),
    "not_utf8": packet((HEAD + "CP=&&i11001-Info=//清洗管路//&&").encode("gbk")),
    "not_text": _data(f"{TIME};a21026-Rtd=1\x01,a21026-Flag=N"),
    "item_empty": _data(f"{TIME};;a21026-Rtd=1,a21026-Flag=N;"),
    "no_equals": _data(f"{TIME};a21026-Rtd"),
    "item_comma": _data(f"{TIME};a21026-Rtd=1,a21026-Flag=N,a34013-Rtd=2,a34013-Flag=N"),
    "item_semicolon": _data(f"{TIME};a21026-Rtd=1;a21026-Flag=N"),
    "field_twice": _data(f"{TIME};a21026-Rtd=1,a21026-Rtd=2,a21026-Flag=N"),
    "factor_unknown": _data(f"{TIME};a99998-Rtd=1,a99998-Flag=N"),
    "factor_old": _data(f"{TIME};02-Rtd=1,02-Flag=N"),
    "suffix_unknown": _data(f"{TIME};a21026-Real=1,a21026-Flag=N"),
    "number_form": _data(f"{TIME};a21026-Rtd=nan,a21026-Flag=N"),
    "number_missing": _data(f"{TIME};a21026-Rtd=,a21026-Flag=D"),
    "data_flag_unknown": _data(f"{TIME};a21026-Rtd=1,a21026-Flag=n"),
    "data_flag_missing": _data(f"{TIME};a21026-Rtd=1"),
    "data_time_missing": _data("a21026-Rtd=1,a21026-Flag=N"),
    "data_time_form": _data("DataTime=20161301080000;a21026-Rtd=1,a21026-Flag=N"),
    "time_form": _data("BeginTime=2016080108;EndTime=20160801090000", cn="2061"),
    "data_time_not_start": _data("DataTime=20160801085900;a21026-Avg=1,a21026-Flag=N", cn="2061"),
    "not_calculable": _data(f"{TIME};a21026-ZsRtd=99999.99,a21026-Flag=N"),
    "pressure_pa": _data(f"{TIME};a01013-Rtd=-500,a01013-Flag=N"),
    "flow_m3_h": _data(f"{TIME};a00000-Rtd=331200,a00000-Flag=N"),
    "implausible": _data(f"{TIME};a19001-Rtd=209,a19001-Flag=N"),
    "min_avg_max": _data(f"{TIME};a21026-Min=3,a21026-Avg=2,a21026-Max=4,a21026-Flag=N", cn="2061"),
    # 10 m3/s for an hour are 36,000 m3, not 30,000: -17 %
    "total_differs": _data(f"{TIME};a00000-Cou=30000,a00000-Avg=10,a00000-Flag=N", cn="2061"),
    "more": packet(HEAD + "CP=&&" + ";" * 90 + "&&"),
}
WITH_KEY = {"key_wrong": packet(LOCKED)}


def test_every_defect_of_the_catalogue_has_its_packet() -> None:
    assert CASES.keys() | WITH_KEY.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("code", CASES)
def test_each_defect_is_found_by_its_code(code: str) -> None:
    frame = decode_frame(CASES[code])
    assert code in codes(frame), codes(frame)
    severity, _, _ = CATALOGUE[code]
    assert frame.ok is (severity != "broken")
    for each in frame.defects:
        assert 0 <= each.at <= len(frame.raw)
        assert re.search(r"[\u4e00-\u9fff]", each.zh)
        assert "{" not in each.zh + each.en


def test_a_wrong_key_is_said() -> None:
    frame = decode_frame(WITH_KEY["key_wrong"], key=b"1" * 16)
    assert codes(frame) == {"key_wrong"}
    assert not frame.ok


def test_where_a_defect_stands() -> None:
    body = f"{TIME};a21026-Rtd=nan,a21026-Flag=N"
    frame = decode_frame(_data(body))
    (defect,) = (each for each in frame.defects if each.code == "number_form")
    assert frame.raw[defect.at :].startswith(b"a21026-Rtd=nan")


def test_dirt_in_the_head_leaves_the_data_readable() -> None:
    """13-digit QN, ST=32 on air data, comma in the head, Flag=0, no MN, all in one packet."""
    segment = (
        "QN=1469999999999;ST=32,CN=2011;PW=123456;Flag=0;"
        "CP=&&DataTime=20160801085857;a21026-Rtd=12.30,a21026-Flag=N&&"
    )
    frame = decode_frame(packet(segment))
    assert frame.ok
    expected = {"qn_form", "st_wrong_kind", "head_comma", "flag_2005", "mn_missing"}
    assert codes(frame) == expected
    assert [(each.text, each.number, each.flag) for each in frame.values] == [("12.30", 12.3, "N")]


def test_separators_mixed_up_still_give_each_factor_its_flag() -> None:
    body = f"{TIME};a21026-Rtd=1.5,a21026-Flag=D,a34013-Rtd=2.5;a34013-Flag=C"
    frame = decode_frame(_data(body))
    assert [(v.factor, v.number, v.flag) for v in frame.values] == [
        ("a21026", 1.5, "D"),
        ("a34013", 2.5, "C"),
    ]
    assert codes(frame) == {"item_comma", "item_semicolon"}


def test_numbers_keep_their_text() -> None:
    frame = decode_frame(packet(HEAD.replace("2011", "2051") + f"CP=&&{MINUTE}&&"))
    assert [each.text for each in frame.values] == [
        "1.30",
        "1.35",
        "1.40",
        "2.10",
        "91",
        "92.5",
        "93.0",
    ]
    assert frame.clean


def test_a_log_text_may_hold_separators() -> None:
    head = HEAD.replace("2011", "3020")
    text = f"{head}CP=&&{TIME};i11001-Info=//换滤芯;校准,完成//;i12001-Info=1&&"
    frame = decode_frame(packet(text))
    assert frame.clean, frame.defects
    assert [v.text for v in frame.values] == ["//换滤芯;校准,完成//", "1"]
    assert encode(frame.segment) == packet(text)


def test_texts_in_gbk_are_read() -> None:
    frame = decode_frame(CASES["not_utf8"])
    assert frame.values[0].text == "//清洗管路//"


def test_defects_of_one_frame_are_bounded() -> None:
    frame = decode_frame(packet(HEAD + "CP=&&" + ";" * 5000 + "&&"))
    assert len(frame.defects) <= MOST + 1
    assert "more" in codes(frame)


@pytest.mark.parametrize(
    ("flag", "version", "answer", "numbered"),
    [
        (4, 2017, False, False),
        (5, 2017, True, False),
        (6, 2017, False, True),
        (7, 2017, True, True),
        (8, 2025, False, False),
        (9, 2025, True, False),
        (10, 2025, False, True),
        (11, 2025, True, True),
        (0, 2005, False, False),
        (255, None, True, True),
    ],
)
def test_what_a_flag_means(flag: int, version: int | None, *, answer: bool, numbered: bool) -> None:
    segment = decode_frame(packet(EMPTY.replace("Flag=5", f"Flag={flag}"))).segment
    assert (segment.version, segment.wants_answer, segment.numbered) == (version, answer, numbered)


def several() -> Iterator[bytes]:
    yield b"2021-04-10 10:10:10 RX: " + EXAMPLE
    yield b"\x00\xff## ##12 #### noise"
    yield packet(STANDARD[8])
    yield b'{"msg": "' + EXAMPLE[:-2] + b'"}\n'


def test_frames_are_found_between_noise_and_log_prefixes() -> None:
    frames = decode(b"".join(several()))
    assert [frame.segment.cn for frame in frames] == ["1062", "2061", "1062"]
    assert all(frame.ok for frame in frames)
    assert [b"".join(several())[f.at :].startswith(f.raw) for f in frames] == [True] * 3


@pytest.mark.parametrize("rubbish", [b"", b"#", b"##", b"##0000", b"##9999", b"##00000000\r\n"])
def test_rubbish_never_raises(rubbish: bytes) -> None:
    assert not decode_frame(rubbish).ok
