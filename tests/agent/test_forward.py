"""Figures and packets made of record lines: the rules of HJ 212 with numbers computed by hand."""

import json
from pathlib import Path

import pytest

from agent.edge.config import load_gateway
from agent.forward.figures import Figure, Together, decimal, of_logger, of_stack, texts
from agent.forward.maker import Maker, Message
from agent.forward.settings import ForwardConfig
from drivers.model import ConfigError

MN = "010000A8900016F000169DC0"
MIDNIGHT_S = 1_767_196_800  # 2026-01-01 00:00 in Beijing
TAGS = "plant=demo,line=gtc1,unit=stack1"


def config(**more: object) -> ForwardConfig:
    known = {"name": "office", "address": "127.0.0.1:9000", "equipment": "gtc1/stack1", "mn": MN}
    return ForwardConfig.model_validate(known | more)


def minute(start_s: int, so2: float = 20.0, flow: float = 120_000.0, q: str = "") -> str:
    """The two lines the gateway writes of a minute: measured, and computed."""
    bad = f',so2_dry_good=0,so2_dry_q="{q}"' if q else ""
    count = 0 if q else 12
    return (
        f"stack_1m,{TAGS} temperature=52.5,temperature_n=12i,pressure=-140,pressure_n=12i "
        f"{start_s}000000000\n"
        f"stack_1m,{TAGS} so2_dry={so2},so2_dry_n={count}i{bad},so2_converted={2 * so2},"
        f"so2_converted_n={count}i,flow_standard={flow},flow_standard_n=12i {start_s}000000000"
    )


def take(maker: Maker, lines: str, now_s: float) -> list[Message]:
    return maker.take("batch,plant=demo …\n" + lines, round(now_s * 1e9))


def told(message: Message) -> dict[str, str]:
    return dict(message.fields)


def test_what_the_logger_said_is_passed_on_as_it_said_it() -> None:
    fields = {
        "so2": "27.72512",
        "so2_min": "20.692",
        "so2_max": "37.972",
        "so2_n": "1i",
        "so2_converted": "27.7",
        "so2_converted_n": "1i",
        "so2_mass_inc": "59.1715",
        "flow": "90000",
        "flow_n": "1i",
        "flow_total_inc": "1500",
        "flow_total_n": "1i",
        "pressure": "-140",
        "pressure_n": "0i",
        "pressure_good": "0",
        "pressure_q": '"stopped"',
    }
    assert texts(of_logger(fields)) == [
        ("a21026-Cou", "59.1715"),
        ("a21026-Min", "20.692"),
        ("a21026-Avg", "27.72512"),
        ("a21026-Max", "37.972"),
        ("a21026-ZsMin", "27.7"),
        ("a21026-ZsAvg", "27.7"),
        ("a21026-ZsMax", "27.7"),
        ("a21026-Flag", "N"),
        ("a00000-Cou", "1500"),
        *((f"a00000-{name}", "25") for name in ("Min", "Avg", "Max")),  # 90,000 / 3,600 m3/s
        ("a00000-Flag", "N"),
        *((f"a01013-{name}", "-0.14") for name in ("Min", "Avg", "Max")),  # kPa
        ("a01013-Flag", "F"),
    ]


@pytest.mark.parametrize(
    ("reason", "flag"),
    [
        ("stopped", "F"),
        ("maintenance", "M"),
        ("set_by_hand", "S"),
        ("device_fault", "D"),
        ("calibration", "C"),
        ("out_of_range", "T"),
        ("no_data", "B"),
        ("stuck", "D"),
        ("uncertain", "D"),
    ],
)
def test_every_reason_has_a_flag(reason: str, flag: str) -> None:
    fields = {"so2_n": "0i", "so2_good": "0", "so2_q": f'"{reason}"'}
    assert texts(of_logger(fields)) == [("a21026-Flag", flag)], "no value: none is made up"


def test_the_amount_of_a_minute_is_concentration_times_flow() -> None:
    """20 mg/m3 x 120,000 Nm3/h / 60 = 40,000 mg = 0.04 kg, and 2,000 m3 of gas."""
    fields = {
        "so2_dry": "20",
        "so2_dry_n": "12i",
        "so2_converted": "40",
        "so2_converted_n": "12i",
        "flow_standard": "120000",
        "flow_standard_n": "12i",
    }
    figures = of_stack(fields)
    assert figures["a21026"].amount == pytest.approx(0.04)
    assert figures["a21026"].converted == (40, 40, 40)
    assert figures["a00000"].amount == pytest.approx(2000)
    assert figures["a00000"].mean == pytest.approx(120_000 / 3600)


def test_an_hour_is_normal_from_three_quarters_on() -> None:
    def hour(normal: int, bad: str) -> Figure:
        group = Together(0, 60)
        group.parts = [{"a": Figure(10.0, flag="N")}] * normal
        group.parts += [{"a": Figure(99.0, flag=bad)}] * (60 - normal)
        return group.result()["a"]

    assert (hour(45, "M").flag, hour(45, "M").mean) == ("N", 10.0)
    assert (hour(44, "M").flag, hour(44, "M").mean) == ("D", 10.0)
    assert (hour(0, "M").flag, hour(0, "M").mean) == ("M", 99.0), "one reason throughout"
    missing = Together(0, 60, [{"a": Figure(10.0)}] * 44)
    assert missing.result()["a"].flag == "D", "what is missing is not normal"


def test_minutes_make_an_hour_and_hours_a_day() -> None:
    maker = Maker(config(source="stack"), "demo")
    made: list[Message] = []
    start = MIDNIGHT_S - 86_400
    for k in range(1440):
        so2 = 20.0 if k < 720 else 40.0
        made += take(maker, minute(start + 60 * k, so2), start + 60 * (k + 1) + 10)
    made += take(maker, minute(MIDNIGHT_S), MIDNIGHT_S + 70)
    made += take(maker, minute(MIDNIGHT_S + 60), MIDNIGHT_S + 130)
    hours = [m for m in made if m.command == "2061"]
    (day,) = [m for m in made if m.command == "2031"]
    assert [m.start_s for m in made if m.command == "2051"] == [start + 60 * k for k in range(1441)]
    assert [m.start_s for m in hours] == [start + 3600 * k for k in range(24)]
    assert told(hours[0])["a21026-Avg"] == "20"
    assert told(hours[0])["a21026-Cou"] == "2.4"  # 60 x 0.04 kg
    assert told(day) | {"a21026-Avg": "30", "a21026-Cou": "86.4"} == told(day)  # 12x2.4 + 12x4.8
    assert told(day)["a21026-Flag"] == "N"
    assert told(day)["a00000-Cou"] == "2880000"  # 1,440 x 2,000 m3


def test_minutes_of_five() -> None:
    maker = Maker(config(source="stack", minutes=5, send=["minute"]), "demo")
    made: list[Message] = []
    for k in range(11):
        made += take(maker, minute(MIDNIGHT_S + 60 * k, 10.0 + k), MIDNIGHT_S + 60 * k + 70)
    assert [(m.command, m.start_s, m.span_s) for m in made] == [("2051", MIDNIGHT_S, 300)]
    assert told(made[0])["a21026-Avg"] == "12"  # (10+11+12+13+14)/5


def test_a_silent_stack_closes_its_hour_by_the_time_of_the_batches() -> None:
    maker = Maker(config(source="stack"), "demo")
    take(maker, minute(MIDNIGHT_S), MIDNIGHT_S + 70)
    made = take(maker, "", MIDNIGHT_S + 3600 + 130)
    assert [m.command for m in made] == ["2051", "2061"]
    assert told(made[1])["a21026-Flag"] == "D", "one minute is not three quarters of an hour"


def test_a_restart_goes_on_with_the_hour_under_way() -> None:
    maker = Maker(config(source="stack"), "demo")
    whole = Maker(config(source="stack"), "demo")
    made: list[Message] = []
    expected: list[Message] = []
    for k in range(61):
        lines, now_s = minute(MIDNIGHT_S + 60 * k, 10.0 + k), MIDNIGHT_S + 60 * (k + 1) + 10
        made += take(maker, lines, now_s)
        expected += take(whole, lines, now_s)
        state = json.loads(json.dumps(maker.state()))
        maker = Maker(config(source="stack"), "demo")
        maker.restore(state)
    assert made == expected


def test_other_stacks_plants_and_measurements_are_left_alone() -> None:
    maker = Maker(config(), "demo")
    other = TAGS.replace("stack1", "stack2")
    lines = "\n".join(
        [
            f"cems_1m,{other} so2=1,so2_n=1i {MIDNIGHT_S}000000000",
            f"cems_1m,{TAGS.replace('demo', 'demo2')} so2=1,so2_n=1i {MIDNIGHT_S}000000000",
            f"stack_1m,{TAGS} so2=1,so2_n=1i {MIDNIGHT_S}000000000",
            f'event,plant=demo,gateway=gw1,kind=gap id="a b",text="c, d" {MIDNIGHT_S}000000000',
            f"cems_300s,{TAGS} so2=1,so2_n=1i {MIDNIGHT_S}000000000",
            f"cems_1h,{TAGS} so2=2,so2_n=1i {MIDNIGHT_S}000000000",
            f"cems_1d,{TAGS} so2=3,so2_n=1i {MIDNIGHT_S}000000000",
        ]
    )
    made = take(maker, lines, MIDNIGHT_S + 400)
    assert [(m.command, m.span_s) for m in made] == [("2051", 300), ("2061", 3600), ("2031", 86400)]


def test_numbers_have_five_decimals_and_no_exponent() -> None:
    assert [decimal(v) for v in (1e9, 0.000004, -0.000001, 2.5, 27.72512)] == [
        *("1000000000", "0", "0", "2.5", "27.72512")
    ]


def test_mistakes_of_a_forward_table(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text(
        "equipment,quantity,address,type,unit\ngtc1/stack1,stack.so2,holding:0,float32,mg/m3\n"
    )
    path = tmp_path / "gateway.toml"
    path.write_text(
        'plant = "demo"\ngateway = "gw1"\ndata_dir = "data"\n'
        '[mqtt]\nurl = "mqtt://127.0.0.1:1883"\n'
        '[[device]]\nname = "plc"\ndriver = "modbus-tcp"\naddress = "127.0.0.1:502"\n'
        'points = "points.csv"\n'
        f'[[forward]]\nname = "a"\naddress = "127.0.0.1:9"\nmn = "{MN}"\n'
        'equipment = "gtc1/stack1"\n'
        f'[[forward]]\nname = "a"\naddress = "127.0.0.1:9"\nmn = "{MN}"\n'
        'equipment = "gtc1/stack2"\nsource = "stack"\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_gateway(path)
    problems = "\n".join(caught.value.problems)
    assert "forward a: no cems.* point of gtc1/stack1" in problems
    assert "the name is used twice" in problems
    assert "no [[stacks]] for gtc1/stack2" in problems
    with pytest.raises(ValueError, match="2017 knows no encryption"):
        config(key_file="k")
    with pytest.raises(ValueError, match="area/unit"):
        config(equipment="stack1")
