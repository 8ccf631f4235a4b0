"""Making packets of HJ 212: identity, refusals, answers, splitting and joining."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.hj212.encode import ECHOED, EncodeError, answer, encode, split
from drivers.hj212.factors import factors
from drivers.hj212.frame import decode_frame
from drivers.hj212.join import Joiner
from drivers.hj212.segment import (
    BEIJING,
    Field,
    Item,
    Segment,
    flag_of,
    moment,
    parse_body,
    qn_of,
    time_text,
)
from tests.drivers.hj212_samples import MINUTE, MN, packet

AIR = sorted(code for code in factors() if code.startswith("a"))
WHEN = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(  # noqa: DTZ001 - made aware
    lambda when: when.replace(tzinfo=BEIJING)
)
NUMBERS = st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,4})?", fullmatch=True)
SUFFIXES = ("Cou", "Min", "Avg", "Max", "ZsMin", "ZsAvg", "ZsMax")


def minute(body: str = MINUTE, *, version: int = 2017) -> Segment:
    return Segment(
        qn="20160801085857223",
        st="31",
        cn="2051",
        pw="123456",
        mn=MN,
        flag=flag_of(version, answer=True),
        cp=parse_body(body),
    )


@st.composite
def factor_items(draw: st.DrawFn, code: str) -> Item:
    fields = [Field(f"{code}-{name}", draw(NUMBERS)) for name in SUFFIXES if draw(st.booleans())]
    return (*fields, Field(f"{code}-Flag", draw(st.sampled_from("NFMSDCTB"))))


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    """Anything the standard allows to be sent as minute, hour or day data."""
    version = draw(st.sampled_from([2017, 2025]))
    chosen = draw(st.lists(st.sampled_from(AIR), unique=True, max_size=5))
    items = tuple(draw(factor_items(code)) for code in chosen)
    pnum = draw(st.none() | st.integers(1, 9))
    return Segment(
        qn=qn_of(draw(WHEN)),
        st="31",
        cn=draw(st.sampled_from(["2051", "2061", "2031"])),
        pw=draw(st.from_regex(r"[0-9A-Za-z]{6}", fullmatch=True)),
        mn=draw(st.from_regex(r"[0-9A-F]{24}", fullmatch=True)),
        flag=flag_of(version, answer=draw(st.booleans()), numbered=pnum is not None),
        cp=((Field("DataTime", time_text(draw(WHEN))),), *items),
        pnum=pnum,
        pno=None if pnum is None else draw(st.integers(1, pnum)),
        rf=version == 2025 and draw(st.booleans()),
    )


@settings(max_examples=200)
@given(segments())
def test_what_is_encoded_is_decoded_as_it_was(segment: Segment) -> None:
    sent = encode(segment)
    frame = decode_frame(sent)
    assert frame.segment == segment
    assert frame.ok
    assert frame.clean
    assert encode(frame.segment) == sent
    assert len(sent) <= 1024 + 12


@settings(max_examples=50)
@given(segments())
def test_cipher_text_comes_back(segment: Segment) -> None:
    segment = replace(segment, flag=flag_of(2025), pnum=None, pno=None)
    key = bytes(range(16))
    sent = encode(segment, key=key)
    assert len(sent) == len(encode(segment))  # as long as the plain one
    frame = decode_frame(sent, key=key)
    assert frame.segment == segment
    assert encode(frame.segment, key=key) == sent


def test_the_bytes_of_a_packet() -> None:
    text = f"QN=20160801085857223;ST=31;CN=2051;PW=123456;MN={MN};Flag=5;CP=&&{MINUTE}&&"
    assert encode(minute()) == packet(text)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"qn": "1469999999999"}, "QN"),
        ({"st": "77"}, "ST=77"),
        ({"cn": "2099"}, "CN=2099"),
        ({"pw": ""}, "PW"),
        ({"mn": "MP1"}, "MP1"),
        ({"mn": ""}, "MN"),
        ({"flag": None}, "Flag"),
        ({"flag": 0}, "2005"),
        ({"flag": 7}, "PNUM"),
        ({"pnum": 2, "pno": 1}, "PNUM"),
        ({"rf": True}, "RF"),
        ({"cp": parse_body("DataTime=20160801084000;a21026-Avg=1,2,a21026-Flag=N")}, "no equals"),
        ({"cp": parse_body("DataTime=20160801084000;a21026-Avg=nan,a21026-Flag=N")}, "nan"),
        ({"cp": parse_body("a21026-Avg=1,a21026-Flag=N")}, "DataTime"),
        ({"cp": parse_body("DataTime=20160801084000;a21026-Avg=1")}, "no data flag"),
        ({"cp": ((Field("i11001-Info", "a;b=1"),),)}, ""),
        ({"cp": parse_body(";".join(f"SB{n}-RS=1" for n in range(100, 200)))}, "950"),
        ({"cp": parse_body("x" * 10_000)}, "9999"),
    ],
)
def test_what_the_standard_does_not_allow_is_not_sent(
    change: dict[str, object], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMELTER_LANG", "en")
    with pytest.raises(EncodeError) as refused:
        encode(replace(minute(), **change))  # type: ignore[arg-type]
    assert told in str(refused.value)


def test_2017_is_never_encrypted() -> None:
    with pytest.raises(EncodeError):
        encode(minute(), key=b"0" * 16)


def test_answers_repeat_what_was_asked() -> None:
    asked = minute()
    said = [
        encode(answer(asked, "9011", qn_rtn=1)),
        encode(answer(asked, "9012", exe_rtn=100)),
        encode(answer(asked, "9014")),
    ]
    head = f"QN=20160801085857223;ST=91;CN=%s;PW=123456;MN={MN};Flag=4;CP=&&%s&&"
    assert said == [
        packet(head % ("9011", "QnRtn=1")),
        packet(head % ("9012", "ExeRtn=100")),
        packet(head % ("9014", "")),
    ]


def test_an_answer_calls_a_device_what_it_calls_itself() -> None:
    odd = replace(minute(), mn="88888880000137", qn="", pw="1")
    with pytest.raises(EncodeError):
        encode(answer(odd, "9014"))
    sent = encode(answer(odd, "9014"), tolerate=ECHOED)
    assert decode_frame(sent).segment.mn == "88888880000137"


def test_a_2025_device_is_answered_in_2025() -> None:
    assert answer(minute(version=2025), "9014").flag == 8


def test_before_its_mn_is_set_a_device_has_none() -> None:
    early = Segment("20260101080000000", "31", "1001", "123456", "", 9, ())
    sent = encode(early)
    assert b";MN=;" in sent
    assert decode_frame(sent).segment == early


# --- parts


def many(count: int) -> str:
    items = [
        f"{code}-Min=1.00,{code}-Avg=2.00,{code}-Max=3.00,{code}-Flag=N" for code in AIR[:count]
    ]
    return ";".join(["DataTime=20160801080000", *items])


def test_what_fits_is_not_split() -> None:
    assert split(minute()) == [minute()]


@pytest.mark.parametrize("count", [15, 16, 30, 60, 100])
@pytest.mark.parametrize("version", [2017, 2025])
def test_parts_fit_have_their_own_qn_and_come_together(count: int, version: int) -> None:
    whole = minute(many(count), version=version)
    parts = split(whole)
    assert len(parts) > 1
    for number, part in enumerate(parts, 1):
        sent = encode(part)  # so it fits, and is clean
        assert decode_frame(sent).segment == part
        assert (part.pnum, part.pno) == (len(parts), number)
        assert part.numbered
        assert part.wants_answer
        assert part.get("DataTime") == "20160801080000"
        assert part.qn == f"20160801085857{222 + number}"
    joiner = Joiner()
    *before, last = [joiner.take(part, 0.0) for part in reversed(parts)]
    assert before == [None] * (len(parts) - 1)
    assert last == whole


def test_2025_has_nine_parts_at_most() -> None:
    body = many(len(AIR)) + ";" + many(len(AIR)).partition(";")[2].replace("-", "x-")
    assert len(split(minute(body))) > 9  # 2017: four digits
    with pytest.raises(EncodeError, match="9"):
        split(minute(body, version=2025))


def test_one_item_that_fits_nowhere() -> None:
    item = ",".join(f"a21026-Info{number}=1" for number in range(100))
    with pytest.raises(EncodeError, match="a21026"):
        split(minute(f"DataTime=20160801080000;{item}"))


def part(pno: int, *, body: str = "", pnum: int = 3, mn: str = MN) -> Segment:
    cp = parse_body(body or f"DataTime=20160801080000;SB{pno}-RS=1")
    return Segment("20160801085857223", "31", "2061", "123456", mn, 6, cp, pnum, pno)


def test_a_part_sent_twice_counts_once() -> None:
    joiner = Joiner()
    assert [joiner.take(part(n), 0.0) for n in (1, 1, 2)] == [None, None, None]
    whole = joiner.take(part(3), 0.0)
    assert whole is not None
    assert whole.cp_text == "DataTime=20160801080000;SB1-RS=1;SB2-RS=1;SB3-RS=1"
    assert (whole.pnum, whole.pno, whole.flag) == (None, None, 4)


def test_parts_without_their_own_time() -> None:
    joiner = Joiner()
    joiner.take(part(1), 0.0)
    joiner.take(part(2, body="SB2-RS=1"), 0.0)
    whole = joiner.take(part(3, body="SB3-RS=1"), 0.0)
    assert whole is not None
    assert whole.cp_text == "DataTime=20160801080000;SB1-RS=1;SB2-RS=1;SB3-RS=1"


def test_two_hours_and_two_stacks_are_kept_apart() -> None:
    joiner = Joiner()
    other = "F" * 24
    for each in (part(1), part(1, mn=other), part(1, body="DataTime=20160801090000;SB1-RS=0")):
        assert joiner.take(each, 0.0) is None
    joiner.take(part(2), 0.0)
    whole = joiner.take(part(3), 0.0)
    assert whole is not None
    assert whole.mn == MN
    assert whole.get("DataTime") == "20160801080000"


def test_a_packet_that_stays_incomplete_is_handed_out() -> None:
    joiner = Joiner(patience_s=60.0)
    joiner.take(part(1), 0.0)
    joiner.take(part(3), 1.0)
    assert joiner.late(60.0) == []
    ((rest, missing),) = joiner.late(61.0)
    assert missing == (2,)
    assert rest.cp_text == "DataTime=20160801080000;SB1-RS=1;SB3-RS=1"
    assert joiner.late(1e9) == []


def test_pending_parts_are_bounded() -> None:
    joiner = Joiner(most=4)
    for number in range(1000):
        joiner.take(part(1, mn=f"{number:024d}"), 0.0)
    assert len(joiner.late(0.0)) <= 4
    assert len(joiner._pending) <= 4


def test_numbers_that_cannot_be_are_passed_on() -> None:
    joiner = Joiner()
    for odd in (part(5), part(0), part(1, pnum=9999)):
        assert joiner.take(odd, 0.0) == odd


# --- times


def test_times_are_of_beijing() -> None:
    assert qn_of(datetime(2016, 8, 1, 0, 58, 57, 223_999, UTC)) == "20160801085857223"
    when = moment("20160801085857223")
    assert when == datetime(2016, 8, 1, 0, 58, 57, 223_000, UTC)
    assert moment("20160230000000") is None
    assert moment("2016080108") is None
    assert moment("２０１６０８０１０８５８５７") is None
