"""Point tables: what an engineer may write, and what each mistake is answered with."""

import io
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.config import DeviceConfig
from drivers.model import ConfigError, Point
from drivers.points import check_plant, group_points, load_points
from drivers.tables import COLUMNS, expansions, write_points

HEADER = "equipment,quantity,address,type"


def device(folder: Path, **rest: object) -> DeviceConfig:
    known: dict[str, object] = {
        "name": "plc",
        "driver": "modbus-tcp",
        "address": "127.0.0.1:502",
        "points": "table.csv",
    }
    if rest.get("driver") == "opcua":
        known |= {"security": "none"}
    return DeviceConfig.model_validate(known | rest)


def load(folder: Path, text: str | bytes, **rest: object) -> tuple[Point, ...]:
    data = text.encode() if isinstance(text, str) else text
    (folder / "table.csv").write_bytes(data)
    return load_points(device(folder, **rest), folder)


def problems(folder: Path, text: str | bytes, **rest: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **rest)
    return caught.value.problems


def mistakes(folder: Path, data: bytes) -> list[str]:
    """What is wrong, if anything."""
    try:
        load(folder, data)
    except ConfigError as error:
        return error.problems
    return []


# --- what works -------------------------------------------------------------------------------


def test_a_template_makes_36_pots_with_a_stride(tmp_path: Path) -> None:
    points = load(
        tmp_path,
        "Equipment, quantity ,address,type,stride,order,scale,unit,interval_s,low,high,"
        "not_available,original,note\n"
        "line1/pot{001..036},pot.voltage,holding:100,int32,20,cdab,0.001,V,5,3,50,"
        '0x80000000;2147483647,yes,"manual, p. 7"\n',
    )
    assert [str(p.equipment) for p in points[:2]] == ["line1/pot001", "line1/pot002"]
    assert points[35].address == "holding:800"
    first = points[0]
    assert (first.id, first.order, first.scale) == ("line1/pot001 pot.voltage", "CDAB", 0.001)
    assert (first.low, first.high, first.interval_s, first.original) == (3, 50, 5, True)
    assert first.not_available == (-(2.0**31), 2.0**31 - 1)
    assert first.where == "table.csv:2"


def test_empty_cells_take_the_defaults_of_device_and_dictionary(tmp_path: Path) -> None:
    (point,) = load(tmp_path, f"{HEADER}\nl/p,pot.voltage,input:7,float32\n", interval_s=2.5)
    assert (point.low, point.high, point.interval_s) == (0.1, 70, 2.5)
    assert (point.order, point.scale, point.offset) == ("ABCD", 1, 0)


@pytest.mark.parametrize(
    ("encoding", "bom"), [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("gbk", b"")]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_what_spreadsheets_save(
    tmp_path: Path, encoding: str, bom: bytes, newline: str, comma: str
) -> None:
    rows = [
        "equipment,quantity,address,type,unit,note",
        "# 一号系列",
        "line1/pot001,heat_recovery.gas_in_temperature,holding：３,int16,℃,槽电压",
        ",,,,,",
        "line1/stack1,stack.pm,holding:9,uint16,mg/m³,颗粒物",
    ]
    text = newline.join(row.replace(",", comma) for row in rows) + newline
    if encoding == "gbk":
        text = text.replace("³", "3")
    points = load(tmp_path, bom + text.encode(encoding))
    assert [p.address for p in points] == ["holding:3", "holding:9"]
    assert [p.where for p in points] == ["table.csv:3", "table.csv:5"]


def test_a_profile_counts_from_the_device_base(tmp_path: Path) -> None:
    (tmp_path / "pot.csv").write_text(
        "quantity,address,type\npot.voltage,holding:+3,float32\npot.anode_effect,holding:+5.2,bool\n"
    )
    config = device(
        tmp_path,
        points=None,
        profile="pot.csv",
        equipment="line1/pot{001..003}",
        base=1000,
        stride=20,
    )
    found = {p.id: p.address for p in load_points(config, tmp_path)}
    assert found == {
        "line1/pot001 pot.voltage": "holding:1003",
        "line1/pot002 pot.voltage": "holding:1023",
        "line1/pot003 pot.voltage": "holding:1043",
        "line1/pot001 pot.anode_effect": "holding:1005.2",
        "line1/pot002 pot.anode_effect": "holding:1025.2",
        "line1/pot003 pot.anode_effect": "holding:1045.2",
    }


def test_opc_ua_addresses_run_through_the_template_too(tmp_path: Path) -> None:
    points = load(
        tmp_path,
        "equipment,quantity,address\n"
        "line1/pot{001..003},pot.voltage,nsu=urn:plant;s=Pot{001..003}.V\n"
        "line1/pot{001..003},pot.current,nsu=urn:plant;s=Currents[{0..2}]\n",
        driver="opcua",
        address="opc.tcp://127.0.0.1:4840",
    )
    assert [p.address for p in points][1:5] == [
        "nsu=urn:plant;s=Pot002.V",
        "nsu=urn:plant;s=Pot003.V",
        "nsu=urn:plant;s=Currents[0]",
        "nsu=urn:plant;s=Currents[1]",
    ]


def test_bits_and_their_register_may_share_it_and_so_may_equal_points(tmp_path: Path) -> None:
    load(
        tmp_path,
        f"{HEADER}\n"
        "l/p,pot.anode_effect,holding:3.1,bool\nl/p,pot.link,holding:3.2,bool\n"
        "l/p,pot.mode,holding:3,uint16\nl/q,pot.mode,holding:3,uint16\n",
    )


def test_groups_are_by_device_and_interval(tmp_path: Path) -> None:
    points = load(
        tmp_path,
        f"{HEADER},interval_s\nl/p,pot.voltage,holding:0,float32,1\n"
        "l/p,pot.current,holding:2,float32,5\nl/p,pot.noise_hf,holding:4,float32,1\n",
    )
    groups = group_points(points)
    assert [(g.interval_s, len(g.points)) for g in groups] == [(1, 2), (5, 1)]


def test_full_width_signs_are_part_of_an_opc_ua_name_but_not_of_a_modbus_address(
    tmp_path: Path,
) -> None:
    text = f"{HEADER}\nｌ/p,pot.voltage"
    (node,) = load(
        tmp_path, f"{text}, nsu=urn:厂;s=１号槽（Ａ） ,\n", driver="opcua", address="h:1"
    )
    assert (node.address, str(node.equipment)) == ("nsu=urn:厂;s=１号槽（Ａ）", "l/p")
    (register,) = load(tmp_path, f"{text},ｈolding：１２,float32\n")
    assert register.address == "holding:12"


def test_points_of_one_interval_may_be_polled_or_subscribed(tmp_path: Path) -> None:
    text = (
        "equipment,quantity,address,mode\n"
        "l/p,pot.voltage,nsu=urn:p;s=V,subscribe\n"
        "l/q,pot.voltage,nsu=urn:p;s=W,\n"
        "l/r,pot.voltage,nsu=urn:p;s=X,Poll\n"
    )
    modes = {}
    for mode in ("poll", "subscribe"):
        points = load(tmp_path, text, driver="opcua", address="opc.tcp://h:1", mode=mode)
        modes[mode] = [(g.mode, [str(p.equipment) for p in g.points]) for g in group_points(points)]
    assert modes["poll"] == [("subscribe", ["l/p"]), ("poll", ["l/q", "l/r"])]
    assert modes["subscribe"] == [("subscribe", ["l/p", "l/q"]), ("poll", ["l/r"])]


# --- mistakes ---------------------------------------------------------------------------------

MISTAKES = [
    # row under "equipment,quantity,address,type,stride,order,scale,unit,low,high,not_available,
    # interval_s,counter_modulus,original,mode", column, what to read in the answer
    ("l/p,pot.voltag,holding:1,float32", "quantity", "did you mean pot.voltage"),
    ("l/p,so2,holding:1,float32", "quantity", "did you mean stack.so2"),
    ("l/p,槽电压,holding:1,float32", "quantity", "did you mean pot.voltage"),
    ("l/p,电解质温度,holding:1,int16", "quantity", "did you mean pot.bath_temperature"),
    ("l/p,xyzzy,holding:1,float32", "quantity", "quantities.toml"),
    ("pot 1,pot.voltage,holding:1,float32", "equipment", "write area/unit"),
    (",pot.voltage,holding:1,float32", "equipment", "write area/unit"),
    ("l/pot{1..3,pot.voltage,holding:1,float32", "equipment", "in braces"),
    ("l/pot{3..1},pot.voltage,holding:1,float32,9", "equipment", "{1..3}"),
    ("l/pot{1..3},pot.voltage,holding:1,float32", "address", "give a stride"),
    ("l/pot{1..3},pot.voltage,holding:{1..2},float32", "address", "2 addresses for 3"),
    ("l/pot{1..9},pot.voltage,holding:65530,float32,9", "address", "beyond 65535"),
    ("l/p,pot.voltage,40101,float32", "address", "write holding:100"),
    ("l/p,pot.voltage,400101,float32", "address", "write holding:100"),
    ("l/p,pot.voltage,30001,float32", "address", "write input:0"),
    ("l/p,pot.voltage,17,float32", "address", "write holding:17"),
    ("l/p,pot.voltage,DB1.DBD4,float32", "address", "no Modbus address"),
    ("l/p,pot.voltage,holding:70000,float32", "address", "65535"),
    ("l/p,pot.voltage,holding:65535,float32", "address", "beyond register 65535"),
    ("l/p,pot.voltage,holding:+3,float32", "address", "without +"),
    ("l/p,pot.anode_effect,holding:1.16,bool", "address", ".15"),
    ("l/p,pot.anode_effect,holding:1,bool", "address", "holding:1.0"),
    ("l/p,pot.anode_effect,coil:1.2,bool", "address", "leave out .2"),
    ("l/p,pot.anode_effect,coil:1,uint16", "type", "write bool"),
    ("l/p,pot.voltage,holding:1,real", "type", "write float32"),
    ("l/p,pot.voltage,holding:1,", "type", "write one of"),
    ("l/p,pot.voltage,holding:1,ascii:8", "type", "a number, not a text"),
    ("l/p,pot.voltage,holding:1,float32,,ACBD", "order", "write ABCD, CDAB"),
    ('l/p,pot.voltage,holding:1,float32,,,"0,001"', "scale", "write 0.001"),
    ("l/p,pot.voltage,holding:1,float32,,,0", "scale", "every value 0"),
    ("l/p,pot.voltage,holding:1,float32,,,nan", "scale", "outside"),
    ("l/p,pot.voltage,holding:1,int16,,,,mV", "unit", "write scale 0.001, unit V"),
    ("l/p,pot.voltage,holding:1,int16,,,10,mV", "unit", "write scale 0.01, unit V"),
    ("l/p,pot.bath_temperature,holding:1,int16,,,0.1,K", "unit", "scale 0.1, offset -273.15"),
    ("l/p,meter.energy_import,holding:1,uint32,,,,MWh", "unit", "write scale 1000, unit kWh"),
    ("l/p,pot.voltage,holding:1,int16,,,,kg", "unit", "is in V"),
    ("l/p,pot.voltage,holding:1,int16,,,,,0", "low", "outside the possible 0.1 to 70 V"),
    ("l/p,pot.voltage,holding:1,int16,,,,,,100", "high", "outside the possible"),
    ("l/p,pot.voltage,holding:1,int16,,,,,9,8", "low", "exchange"),
    ("l/p,pot.voltage,holding:1,int16,,,,,,,0x18000", "not_available", "16 bits"),
    ("l/p,pot.voltage,holding:1,bcd16,,,,,,,0xFFFF", "not_available", "leave this code out"),
    ("l/p,pot.voltage,holding:1,int16,,,,,,,none", "not_available", "write 32767 or"),
    ("l/p,pot.voltage,holding:1,int16,,,,,,,0xNAN", "not_available", "no hexadecimal number"),
    ("l/p,pot.voltage,holding:1,int16,,,,,,,,0.001", "interval_s", "0.02 to 86400"),
    ("l/p,pot.voltage,holding:1,int16,,,,,,,,,65536", "counter_modulus", "no counter"),
    ("l/p,pot.voltage,holding:1,int16,,,,,,,,,,maybe", "original", "write yes"),
    ("l/p,pot.voltage,holding:1,int16,,,,,,,,,,,subscribe", "mode", "can only be polled"),
    ("l/p,pot.voltage,holding:1,int16,,,,,,,,,,,often", "mode", "write poll, subscribe or"),
]
LONG = (
    f"{HEADER},stride,order,scale,unit,low,high,not_available,interval_s,counter_modulus,"
    "original,mode"
)


@pytest.mark.parametrize(("row", "column", "answer"), MISTAKES)
def test_a_mistake_names_file_line_column_and_cure(
    tmp_path: Path, row: str, column: str, answer: str
) -> None:
    (problem,) = problems(tmp_path, f"{LONG}\nl/other,pot.voltage,holding:9000,float32\n{row}\n")
    assert problem.startswith(f"table.csv:3: column {column}: "), problem
    assert answer in problem


ENGLISH = re.compile(
    r"\b(a|already|an|and|by|did|empty|for|give|in|is|it|leave|missing|no|not|of|or|the|there|to|"
    r"unknown|with|write)\b"
)


def in_chinese(english: list[str], chinese: list[str]) -> None:
    """The same mistakes in the same places, with the same numbers, and no English left in them."""
    assert len(english) == len(chinese)
    for en, zh in zip(english, chinese, strict=True):
        assert re.search(r"[\u4e00-\u9fff]", zh), zh
        assert not re.search(r"[\u4e00-\u9fff]", re.sub("'.*?'", "", en)), en  # quoted: as written
        assert not ENGLISH.search(zh), zh
        assert sorted(re.findall(r"\d+", en)) == sorted(re.findall(r"\d+", zh)), zh
        place = re.match(r"[\w.]+:\d+: ", en)
        assert not place or zh.startswith(place[0]), zh


@pytest.mark.parametrize(("row", "column"), [(row, column) for row, column, _ in MISTAKES])
def test_a_mistake_is_told_in_chinese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str, column: str
) -> None:
    text = f"{LONG}\nl/other,pot.voltage,holding:9000,float32\n{row}\n"
    english = problems(tmp_path, text)
    monkeypatch.setenv("SMELTER_LANG", "zh_CN.UTF-8")
    chinese = problems(tmp_path, text)
    in_chinese(english, chinese)
    assert chinese[0].startswith(f"table.csv:3: 列 {column}: ")


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    table = "\n".join([LONG, *(row for row, _, _ in MISTAKES)])
    found = problems(tmp_path, table)
    for line, (_, column, _) in enumerate(MISTAKES, 2):
        assert any(p.startswith(f"table.csv:{line}: column {column}:") for p in found)


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("", ["the table is empty"]),
        ("\n\n", ["the table is empty"]),
        (f"{HEADER}\n", ["no points"]),
        ("equipment,quantity,type\n", ["column address is missing"]),
        ("equipment,quantty,address,type\n", ["write quantity", "quantity is missing"]),
        (f"{HEADER},scale,scale\n", ["scale is there twice"]),
        (f"{HEADER}\nl/p,pot.voltage,holding:1,float32,4,5\n", ["6 cells under 4 columns"]),
        (b"\xff\xff\xff\xff\x00", ["neither UTF-8 nor GBK"]),
    ],
)
def test_tables_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes, answers: list[str]
) -> None:
    found = problems(tmp_path, text)
    monkeypatch.setenv("SMELTER_LANG", "zh")
    in_chinese(found, problems(tmp_path, text))
    assert len(found) == len(answers)
    for problem, answer in zip(found, answers, strict=True):
        assert answer in problem


def test_a_missing_file_names_device_and_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"device plc: cannot read table\.csv: No such file"):
        load_points(device(tmp_path), tmp_path)
    monkeypatch.setenv("SMELTER_LANG", "zh")
    with pytest.raises(ConfigError, match=r"device plc: 无法读取 table\.csv: 文件不存在"):
        load_points(device(tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        (
            "l/p,pot.voltage,holding:0,float32,\nl/p,pot.voltage,holding:9,float32,\n",
            "table.csv:3: l/p pot.voltage is there already in table.csv:2",
        ),
        (
            "l/pot{1..9},pot.voltage,holding:0,float32,2\nl/pot{5..12},pot.voltage,input:0,float32,2\n",
            "l/pot5 pot.voltage (and 4 more, to l/pot9) is there already in table.csv:2",
        ),
        (
            "l/p,pot.voltage,holding:0,float32,\nl/q,pot.voltage,holding:1,float32,\n",
            "holding:1 (float32, l/q pot.voltage) overlaps holding:0",
        ),
        (
            "l/p,pot.voltage,holding:0,float32,\nl/q,pot.voltage,holding:0,int32,\n",
            "table.csv:3: column address",
        ),
        (
            "l/pot{1..9},pot.voltage,holding:0,float32,1\n",
            "table.csv:2: column address: holding:1 (float32, l/pot2 pot.voltage) overlaps",
        ),
        (
            "l/p,pot.serial,holding:0,ascii:20,\nl/p,pot.current,holding:9,uint16,\n",
            "holding:9 (uint16, l/p pot.current) overlaps holding:0 (ascii:20",
        ),
    ],
)
def test_duplicates_and_overlaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str, answer: str
) -> None:
    found = problems(tmp_path, f"{HEADER},stride\n{rows}")
    assert any(answer in p for p in found)
    monkeypatch.setenv("SMELTER_LANG", "zh")
    in_chinese(found, problems(tmp_path, f"{HEADER},stride\n{rows}"))


def test_values_wider_than_the_device_reads_at_once(tmp_path: Path) -> None:
    (problem,) = problems(
        tmp_path, f"{HEADER}\nl/p,pot.voltage,holding:0,float64\n", max_registers=2
    )
    assert "float64 needs 4 registers in one request, but device plc has max_registers = 2" in (
        problem
    )


@pytest.mark.parametrize(
    ("row", "column", "answer"),
    [
        ("l/p,pot.voltage,ns=2;s=Pot1.V,", "address", "write nsu=<namespace URI>"),
        ("l/p,pot.voltage,holding:1,", "address", "no OPC UA node id"),
        ("l/p,pot.voltage,nsu=urn:p;i=abc,", "address", "a number, not 'abc'"),
        ("l/p,pot.voltage,nsu=urn:p;s=V,float32", "type", "leave it empty"),
        ("l/pot{1..2},pot.voltage,nsu=urn:p;s=V,", "address", "{…} in the address"),
    ],
)
def test_opc_ua_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str, column: str, answer: str
) -> None:
    (problem,) = problems(tmp_path, f"{HEADER}\n{row}\n", driver="opcua", address="opc.tcp://h:1")
    assert problem.startswith(f"table.csv:2: column {column}: ")
    assert answer in problem
    monkeypatch.setenv("SMELTER_LANG", "zh")
    text = f"{HEADER}\n{row}\n"
    in_chinese([problem], problems(tmp_path, text, driver="opcua", address="opc.tcp://h:1"))


def test_one_point_from_two_devices_is_named_once_per_pair_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = "line1/pot{{001..009}},pot.voltage,holding:0,float32,2\n"
    text = f"{HEADER},stride\n{row.format()}"
    first = load(tmp_path, text, name="plc1")
    second = load(tmp_path, text, name="plc2")
    assert check_plant(first) == []
    (problem,) = check_plant((*first, *second))
    assert "line1/pot001 pot.voltage (and 8 more, to line1/pot009) of device plc2" in problem
    assert "device plc1 reads it too" in problem
    monkeypatch.setenv("SMELTER_LANG", "zh")
    in_chinese([problem], check_plant((*first, *second)))


# --- writing and size -------------------------------------------------------------------------


def test_a_written_table_reads_back(tmp_path: Path) -> None:
    stream = io.StringIO()
    rows: list[dict[str, object]] = [
        {"equipment": "l/p", "quantity": "pot.voltage", "address": "holding:1", "type": "float32"},
        {
            "equipment": "l/q",
            "quantity": "pot.current",
            "address": "holding:3",
            "type": "float32",
            "low": 10,
            "note": '电流, "A"',
        },
    ]
    write_points(rows, stream)
    head = stream.getvalue().splitlines()[0]
    assert head == "equipment,quantity,address,type,scale,unit,interval_s,low,note"
    points = load(tmp_path, stream.getvalue())
    assert [(p.id, p.low) for p in points] == [("l/p pot.voltage", 0.1), ("l/q pot.current", 10)]
    with pytest.raises(ValueError, match="no such columns"):
        write_points([{"adress": "x"}], io.StringIO())


def test_ten_thousand_points_load_in_a_moment(tmp_path: Path) -> None:
    rows = [
        f"line{i // 1000 + 1}/pot{i % 1000:03d},pot.voltage,{'holding' if i < 5000 else 'input'}:"
        f"{i % 5000 * 2},float32"
        for i in range(10_000)
    ]
    start = time.process_time()
    points = load(tmp_path, "\n".join([HEADER, *rows]))
    used = time.process_time() - start
    assert len(points) == 10_000
    assert used < 2, f"{used:.2f} s of CPU"  # 0.25 s on the machine it was written on


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_it_crash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert all(mistakes(folder, data))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(COLUMNS), st.text(max_size=12)),
        max_size=8,
        unique_by=lambda c: c[0],
    )
)
def test_no_cells_make_it_crash(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    stream = io.StringIO()
    write_points(
        [{"equipment": "l/p", "quantity": "pot.voltage", "address": "holding:0"} | dict(cells)],
        stream,
    )
    data = stream.getvalue().encode("utf-8", "replace")
    found = mistakes(tmp_path_factory.getbasetemp(), data)
    assert all("table.csv:" in problem for problem in found)


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 4))
def test_expansions_keep_their_width(first: int, count: int, width: int) -> None:
    names = expansions(f"pot{{{first:0{width}d}..{first + count}}}x")
    assert len(names) == count + 1
    assert names[0] == f"pot{first:0{width}d}x"
    assert names[-1] == f"pot{first + count:0{width}d}x"


@pytest.mark.parametrize(
    "wrong",
    [
        {"points": None},
        {"points": None, "profile": "pot.csv"},
        {"security": "Basic256Sha256"},
        {"username": "operator"},
        {"mode": "subscribe"},
        {"address": "plc:port"},
        {"address": "192.0.2.10:70000"},
        {"address": ""},
        {"driver": "modbus-rtu-over-tcp", "address": "plc:"},
        {"driver": "opcua", "address": "http://192.0.2.11"},
        {"driver": "opcua", "address": "opc.tcp://192.0.2.11:port"},
        {"driver": "opcua", "address": ""},
    ],
    ids=str,
)
def test_mistakes_of_a_device_are_told_in_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, object]
) -> None:
    found = {}
    for lang in ("en", "zh"):
        monkeypatch.setenv("SMELTER_LANG", lang)
        with pytest.raises(ValidationError) as caught:
            device(tmp_path, **wrong)
        found[lang] = [each["msg"].removeprefix("Value error, ") for each in caught.value.errors()]
    in_chinese(found["en"], found["zh"])
