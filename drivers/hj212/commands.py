"""``smelter hj212 decode | encode | check``: packets of a file, a capture, a log or a pipe."""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from drivers.hj212.encode import EncodeError, encode, packet, split
from drivers.hj212.frame import Frame
from drivers.hj212.hexdump import looks_like_hex, read_hex
from drivers.hj212.jsonform import WrongJsonError, frame_json, segment_of, verbatim
from drivers.hj212.printing import defect_lines, frame_lines, summary
from drivers.hj212.reader import FrameReader
from drivers.hj212.segment import Segment, qn_of
from drivers.language import say, why
from drivers.model import ConfigError

CHUNK = 8192  # bytes read at a time
LINE_MOST = 1 << 20  # bytes of a line of hex digits

hj212_app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help=say(
        "HJ 212-2017、HJ 212-2025 报文：解码、生成、检查", "packets of HJ 212-2017 and HJ 212-2025"
    ),
)

Source = Annotated[
    str, typer.Argument(help=say("文件；- 为标准输入", "a file; - is standard input"))
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        help=say(
            "SM4 密钥文件：16 个字符或 32 位十六进制",
            "file with the SM4 key: 16 characters or 32 hex digits",
        )
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help=say("每帧输出一个 JSON 对象", "one JSON object a frame"))
]
AsHex = Annotated[
    bool,
    typer.Option(
        "--hex",
        help=say(
            "输入为十六进制文本（xxd、hexdump -C、串口工具）；一般可自动识别",
            "the input is a hex dump (xxd, hexdump -C, serial tools); mostly recognised by itself",
        ),
    ),
]
Lang = Annotated[str, typer.Option(help="zh | en")]


@hj212_app.command(help=say("逐帧显示报文内容与问题", "show what packets say and what is wrong"))
def decode(
    source: Source = "-",
    *,
    as_json: AsJson = False,
    as_hex: AsHex = False,
    key_file: KeyFile = None,
    lang: Lang = "",
) -> None:
    """Frame by frame; exit code 1 when there is none."""
    _speak(lang)
    number = 0
    for number, frame in enumerate(_frames(source, _key(key_file), _Tally(), as_hex=as_hex), 1):
        if as_json:
            _print_json(frame)
        else:
            typer.echo("\n".join(frame_lines(frame, number)))
    if not number:
        typer.echo(say("没有找到报文", "no packet found"), err=True)
        raise typer.Exit(1)


@hj212_app.command(
    help=say("检查报文；有错误的帧时退出码为 1", "check packets; exit code 1 when one is bad")
)
def check(
    source: Source = "-",
    *,
    as_json: AsJson = False,
    as_hex: AsHex = False,
    key_file: KeyFile = None,
    strict: Annotated[
        bool,
        typer.Option(
            help=say("格式问题也算不合格", "packets that break the form count as bad too")
        ),
    ] = False,
    lang: Lang = "",
) -> None:
    """Defects only, and a summary; exit code 1 when a frame is bad or there is none."""
    _speak(lang)
    tally = _Tally()
    frames = bad = dirty = 0
    for frames, frame in enumerate(_frames(source, _key(key_file), tally, as_hex=as_hex), 1):
        bad += not frame.ok
        dirty += frame.ok and not frame.clean
        if as_json:
            _print_json(frame)
        elif frame.defects:
            typer.echo("\n".join(defect_lines(frame, frames)))
    typer.echo(summary(frames, bad, dirty, tally.noise), err=as_json)
    if bad or not frames or (strict and dirty):
        raise typer.Exit(1)


@hj212_app.command(
    name="encode",
    help=say(
        "由 JSON（decode --json 的输出）或选项生成报文",
        "make packets of JSON (as decode --json prints it) or of options",
    ),
)
def make(  # noqa: PLR0913 - one per option of the command
    source: Annotated[
        str,
        typer.Argument(help=say("JSON 文件；- 为标准输入", "a JSON file; - is standard input")),
    ] = "-",
    *,
    cn: Annotated[str, typer.Option(help=say("命令编码", "command, 2011"))] = "",
    mn: Annotated[str, typer.Option(help=say("设备唯一标识", "the device's 24 letters"))] = "",
    st: Annotated[str, typer.Option(help=say("系统编码", "system"))] = "31",
    pw: Annotated[str, typer.Option(help=say("访问密码", "password"))] = "123456",
    qn: Annotated[str, typer.Option(help=say("请求编码；默认当前时刻", "default: now"))] = "",
    cp: Annotated[str, typer.Option(help=say("数据区", "body, DataTime=…;a21026-Rtd=1.2"))] = "",
    version: Annotated[int, typer.Option(help="2017 | 2025")] = 2017,
    answer: Annotated[bool, typer.Option(help=say("需要应答", "an answer is wanted"))] = False,
    backfilled: Annotated[bool, typer.Option(help=say("补传（2025）", "RF=1 (2025)"))] = False,
    parts: Annotated[
        bool, typer.Option("--split", help=say("超长时分包", "split what is too long"))
    ] = False,
    as_is: Annotated[
        bool,
        typer.Option(
            "--as-is",
            help=say(
                "原样发送 JSON 中的 segment，不检查", "the segment of the JSON as it is, unchecked"
            ),
        ),
    ] = False,
    key_file: KeyFile = None,
    out: Annotated[Path | None, typer.Option(help=say("写入文件", "write to a file"))] = None,
    lang: Lang = "",
) -> None:
    """Bytes to standard output; refuses what the standard does not allow (exit code 2)."""
    _speak(lang)
    key = _key(key_file)
    asked: list[dict[str, Any]] = []
    if cn:
        head = {"qn": qn or qn_of(datetime.now(UTC)), "st": st, "cn": cn, "pw": pw, "mn": mn}
        asked = [{**head, "version": version, "answer": answer, "rf": backfilled, "cp": cp}]
    else:
        asked = list(_objects(source))
    made = b"".join(_packets(asked, key, parts=parts, as_is=as_is))
    if out is None:
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()
    else:
        out.write_bytes(made)


def _packets(
    asked: list[dict[str, Any]], key: bytes | None, *, parts: bool, as_is: bool
) -> Iterator[bytes]:
    problems: list[str] = []
    for number, told in enumerate(asked, 1):
        place = say(f"第 {number} 个：", f"no {number}: ") if len(asked) > 1 else ""
        try:
            if as_is:
                yield packet(verbatim(told), key=key)
                continue
            segment = segment_of(told)
            whole = split(segment) if parts else [segment]
            yield from (encode(each, key=_key_for(each, key)) for each in whole)
        except (EncodeError, WrongJsonError) as error:
            problems += [f"{place}{problem}" for problem in error.problems]
    if problems:
        raise ConfigError(problems)


def _key_for(segment: Segment, key: bytes | None) -> bytes | None:
    """Only 2025 is encrypted; an older packet in the same file stays plain."""
    return key if segment.version == 2025 else None


class _Tally:
    """What the reader saw beside frames."""

    noise = 0


def _frames(source: str, key: bytes | None, tally: _Tally, *, as_hex: bool) -> Iterator[Frame]:
    reader = FrameReader(key=key)
    with _open(source) as file:
        for chunk in _chunks(file, as_hex=as_hex):
            yield from reader.feed(chunk)
            tally.noise = reader.noise
    yield from reader.finish()
    tally.noise = reader.noise


def _chunks(file: BinaryIO, *, as_hex: bool) -> Iterator[bytes]:
    first = file.read1(CHUNK) if hasattr(file, "read1") else file.read(CHUNK)
    if not (as_hex or looks_like_hex(first)):
        while first:
            yield first
            first = file.read1(CHUNK) if hasattr(file, "read1") else file.read(CHUNK)
        return
    rest = first
    while rest:
        *lines, rest = rest.split(b"\n")
        for line in lines:
            yield read_hex(line.decode("latin-1"))
        more = file.read(CHUNK)
        if not more or len(rest) > LINE_MOST:
            yield read_hex(rest.decode("latin-1"))
            rest = b""
        rest += more


class _Standard:
    """Standard input as a file that is not closed."""

    def __enter__(self) -> BinaryIO:
        return sys.stdin.buffer

    def __exit__(self, *_: object) -> None:
        return None


def _open(source: str) -> BinaryIO | _Standard:
    if source == "-":
        return _Standard()
    try:
        return Path(source).open("rb")
    except OSError as error:
        raise ConfigError([f"{source}: {why(error)}"]) from None


def _objects(source: str) -> Iterator[dict[str, Any]]:
    """One object, a list of them, or one a line."""
    with _open(source) as file:
        data = file.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError([f"{source}: " + say("不是 UTF-8", "is not UTF-8")]) from None
    decoder, at, found = json.JSONDecoder(), 0, 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            told, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise ConfigError([f"{source}: JSON: {error}"]) from None
        for each in told if isinstance(told, list) else [told]:
            if not isinstance(each, dict):
                raise ConfigError([f"{source}: " + say("应为 JSON 对象", "objects are needed")])
            found += 1
            yield each
    if not found:
        raise ConfigError([f"{source}: " + say("没有 JSON 对象", "holds no JSON object")])


def _print_json(frame: Frame) -> None:
    typer.echo(json.dumps(frame_json(frame), ensure_ascii=False))


def _key(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        data = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    if len(data) == 32:
        try:
            return bytes.fromhex(data.decode("ascii"))
        except ValueError:
            pass
    if len(data) != 16:
        form = say("SM4 密钥为 16 个字符或 32 位十六进制数", "16 characters or 32 hex digits")
        raise ConfigError([f"{path}: {form}"])
    return data


def _speak(lang: str) -> None:
    if lang not in {"", "zh", "en"}:
        raise ConfigError([f"--lang {lang}: zh | en"])
    if lang:
        os.environ["SMELTER_LANG"] = lang
