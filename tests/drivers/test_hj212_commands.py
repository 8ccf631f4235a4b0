"""``smelter hj212`` from outside: files, pipes, hex dumps, both languages, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.hj212_samples import SEEN_GOOD, SEEN_MODBUS, STANDARD, packet
from tests.drivers.test_hj212_sm4 import CIPHER_WHOLE, HEAD

CLEAN = b"".join(packet(text) for text in STANDARD)
LOG = b"2021-04-10 10:10:10 RX: " + packet(STANDARD[8])[:-1] + b" <- noise ##12 \x00\xff\n"


def smelter(
    *asked: str, given: bytes = b"", lang: str = "en"
) -> subprocess.CompletedProcess[bytes]:
    program = "from drivers.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "hj212", *asked],
        input=given,
        capture_output=True,
        check=False,
        env={**os.environ, "SMELTER_LANG": lang},
        timeout=60,
    )


def objects(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.decode().splitlines()]


def test_decode_prints_one_object_a_frame() -> None:
    done = smelter("decode", "-", "--json", given=LOG + SEEN_MODBUS + SEEN_GOOD[4])
    assert done.returncode == 0, done.stderr
    first, second, third = objects(done.stdout)
    assert (first["ok"], first["crc_kind"], first["cn"]) == (True, "right", "2061")
    assert [each["code"] for each in first["errors"]] == ["no_crlf"]
    assert first["data"]["w00000"]["Avg"]["text"] == "17.5"
    assert first["data_time"] == "2016-08-01T08:00:00+08:00"
    assert (second["ok"], second["crc"], second["crc_kind"]) == (False, "524F", "modbus_swapped")
    assert second["errors"][0]["code"] == "crc_modbus_swapped"
    assert second["errors"][0].keys() == {"code", "severity", "at", "zh", "en"}
    assert third["ok"]
    assert third["data"]["02"]["ZsRtd"] == {
        "number": 5.08,
        "text": "5.08",
        "flag": "N",
        "unit": "mg/m3",
    }
    assert third["names"]["02"] == {"zh": "二氧化硫", "en": "sulphur dioxide"}


def test_what_decode_prints_encode_takes_to_the_byte() -> None:
    told = smelter("decode", "--json", given=CLEAN).stdout
    assert smelter("encode", given=told).stdout == CLEAN


def test_encode_as_is_repeats_a_dirty_segment() -> None:
    told = smelter("decode", "--json", given=SEEN_GOOD[4]).stdout
    refused = smelter("encode", given=told)
    assert refused.returncode == 2
    assert refused.stdout == b""
    assert b"QN is missing" in refused.stderr
    assert b"PW is missing" in refused.stderr
    assert smelter("encode", "--as-is", given=told).stdout == SEEN_GOOD[4]


def test_encode_of_options() -> None:
    mn = "010000A8900016F000169DC0"
    asked = ["--cn", "1062", "--st", "32", "--pw", "100000", "--mn", mn, "--answer"]
    asked += ["--qn", "20160801085857223", "--cp", "RtdInterval=30"]
    done = smelter("encode", *asked)
    assert done.stdout.endswith(b"&&1C80\r\n")
    assert done.stdout.startswith(b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;")


def test_encode_of_plain_data() -> None:
    told = {
        "qn": "20260801085857223",
        "st": "31",
        "cn": "2011",
        "pw": "123456",
        "mn": "010000A8900016F000169DC0",
        "version": 2025,
        "fields": {"DataTime": "20260801085857"},
        "data": {"a21026": {"Rtd": 12.5, "ZsRtd": "18.30", "Flag": "N"}},
    }
    done = smelter("encode", "-", given=json.dumps(told).encode())
    assert done.returncode == 0, done.stderr
    body = b"CP=&&DataTime=20260801085857;a21026-Rtd=12.5,a21026-ZsRtd=18.30,a21026-Flag=N&&"
    assert body in done.stdout
    assert b";Flag=8;" in done.stdout


def test_encode_splits_on_request() -> None:
    items = ";".join(f"SB{number}-RS=1" for number in range(100, 300))
    told = json.loads(smelter("decode", "--json", given=packet(STANDARD[9])).stdout)
    told["cp"] = f"DataTime=20160801085857;{items}"
    given = json.dumps(told).encode()
    assert smelter("encode", given=given).returncode == 2
    sent = smelter("encode", "--split", given=given).stdout
    parts = objects(smelter("decode", "--json", given=sent).stdout)
    assert [(part["pno"], part["pnum"], part["ok"]) for part in parts] == [
        (number, len(parts), True) for number in range(1, len(parts) + 1)
    ]
    assert sum(len(part["data"]) for part in parts) == 200


@pytest.mark.parametrize(
    ("given", "code"),
    [(CLEAN, 0), (CLEAN + SEEN_MODBUS, 1), (b"no packet in it", 1), (b"", 1), (SEEN_GOOD[4], 0)],
)
def test_check_says_no_when_a_frame_is_bad(given: bytes, code: int) -> None:
    assert smelter("check", "-", given=given).returncode == code


def test_check_can_be_strict_about_the_form() -> None:
    assert smelter("check", "--strict", given=SEEN_GOOD[4]).returncode == 1
    assert smelter("check", "--strict", given=CLEAN).returncode == 0


def test_check_in_both_languages() -> None:
    english = smelter("check", given=LOG + SEEN_MODBUS).stdout.decode()
    assert "a Modbus CRC, low byte first (524F)" in english
    assert "2 frames: 1 good (1 of them against the form), 1 bad" in english
    chinese = smelter("check", "--lang", "zh", given=LOG + SEEN_MODBUS).stdout.decode()
    assert "CRC 为 Modbus 算法且高低字节颠倒" in chinese
    assert "共 2 帧：正确 1（其中格式有问题 1），错误 1" in chinese


def test_people_read_names_units_and_flags() -> None:
    shown = smelter("decode", given=SEEN_GOOD[3], lang="zh").stdout.decode()
    assert "二氧化硫" in shown
    assert "ZsRtd 51.0317 mg/m3" in shown
    assert "N 正常" in shown
    assert "上传污染物实时数据" in shown
    shown = smelter("decode", given=packet(STANDARD[1])).stdout.decode()
    assert "QnRtn = 1 ready to execute" in shown


@pytest.mark.parametrize("style", ["plain", "spaced", "0x", "xxd", "hexdump"])
def test_hex_dumps_are_recognised(style: str) -> None:
    sent = packet(STANDARD[8])
    pairs = [f"{octet:02x}" for octet in sent]
    rows = [sent[at : at + 16] for at in range(0, len(sent), 16)]

    def letters(row: bytes) -> str:
        return "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)

    dumps = {
        "plain": sent.hex(),
        "spaced": " ".join(pairs).upper(),
        "0x": ",".join(f"0x{pair}" for pair in pairs),
        "xxd": "\n".join(
            f"{16 * i:08x}: {row.hex(' ', -2):<39}  {letters(row)}" for i, row in enumerate(rows)
        ),
        "hexdump": "\n".join(
            f"{16 * i:08x}  {row[:8].hex(' ')}  {row[8:].hex(' '):<23}  |{letters(row)}|"
            for i, row in enumerate(rows)
        )
        + f"\n{len(sent):08x}\n",
    }
    for asked in ([], ["--hex"]):
        done = smelter("check", *asked, given=dumps[style].encode())
        assert done.returncode == 0, (done.stdout, done.stderr)


def test_a_key_file_opens_cipher_text(tmp_path: Path) -> None:
    sent = b"##0295" + HEAD + CIPHER_WHOLE + b"&&2200\r\n"
    (tmp_path / "packets.bin").write_bytes(sent)
    assert smelter("check", str(tmp_path / "packets.bin")).returncode == 1
    for number, key in enumerate((b"0" * 16 + b"\n", b"30" * 16)):
        key_file = tmp_path / f"key{number}"
        key_file.write_bytes(key)
        given = ["--key-file", str(key_file)]
        done = smelter("decode", str(tmp_path / "packets.bin"), "--json", *given)
        (told,) = objects(done.stdout)
        assert told["ok"]
        assert told["data"]["a01012"]["Avg"]["text"] == "9.3"
        assert smelter("encode", *given, given=done.stdout).stdout == sent


@pytest.mark.parametrize(
    ("asked", "given", "told"),
    [
        (["decode", "missing.bin"], b"", "missing.bin"),
        (["encode", "-"], b"{", "JSON"),
        (["encode", "-"], b"", "holds no JSON object"),
        (["encode", "-"], b"[1]", "objects are needed"),
        (["encode", "-"], b"\xff", "UTF-8"),
        (["encode", "-"], b'{"cn": true, "flag": "5"}', "flag: a whole number"),
        (["encode", "-", "--as-is"], b"{}", "no segment"),
        (["encode", "--cn", "2011"], b"", "MN"),
        (["decode", "--lang", "fr"], b"", "--lang"),
        (["decode", "--key-file", "missing.key"], b"", "missing.key"),
        (["nonsense"], b"", "nonsense"),
    ],
)
def test_wrong_use_is_exit_code_2(asked: list[str], given: bytes, told: str) -> None:
    done = smelter(*asked, given=given)
    assert done.returncode == 2
    assert told in done.stderr.decode()
    assert b"Traceback" not in done.stderr
