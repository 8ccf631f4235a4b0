"""The prompts of ``smelter agent init``: plain lines, for any terminal; ``q`` leaves nothing."""

import asyncio
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.setup.answers import Answers, DeviceAnswers, wrong
from agent.setup.draft import Draft
from agent.setup.preview import preview
from agent.setup.propose import Proposal, SilentError, propose
from drivers.language import say, why
from drivers.model import ConfigError, DriverError
from drivers.profiles import KINDS, LEVELS_SAID, Profile, profiles

_EQUIPMENT = {
    "pot": "line1/pot{001..036}",
    "rectifier": "line1/rect1",
    "meter": "line1/ac1",
    "flow": "site/flow1",
    "cems": "gtc1/stack1",
}


class AbortedError(Exception):
    """The person gave up; nothing was written."""


def tell(text: str) -> None:
    """One line, or several, to the person."""
    print(text, flush=True)  # noqa: T201 - a conversation


def ask(question: str, default: str = "") -> str:
    """One line; the default on an empty one. AbortedError on q, end of input or Ctrl-C."""
    shown = f" [{default}]" if default else ""
    try:
        said = input(f"{question}{shown}: ").strip()
    except (EOFError, KeyboardInterrupt):
        raise AbortedError from None
    if said.lower() in {"q", "quit"}:
        raise AbortedError
    return said or default


def sure(question: str, *, default: bool) -> bool:
    """Yes or no."""
    while True:
        said = ask(question, "y" if default else "n").lower()
        if said in {"y", "yes", "是", "n", "no", "否"}:
            return said in {"y", "yes", "是"}
        tell(say("请回答 y 或 n", "answer y or n"))


def confirm(question: str) -> None:
    """AbortedError unless the person says yes."""
    if not sure(question, default=True):
        raise AbortedError


def choose(question: str, options: list[tuple[str, str]]) -> str:
    """One of (value, text) by its number; the first is the default."""
    for number, (_, text) in enumerate(options, 1):
        tell(f"  {number}. {text}")
    while True:
        said = ask(question, "1")
        if said.isdecimal() and 1 <= int(said) <= len(options):
            return options[int(said) - 1][0]
        tell(say(f"请输入 1 到 {len(options)}", f"a number from 1 to {len(options)}"))


def first_answers() -> dict[str, Any]:
    """Plant, gateway, where data lie, the broker."""
    tell(
        say(
            "回车采用方括号中的默认值；任何时候输入 q 退出，不留下任何文件。",
            "Enter takes the default in brackets; q at any time leaves, and nothing stays behind.",
        )
    )
    while True:
        said: dict[str, Any] = {
            "plant": ask(say("工厂代号（字母开头，字母数字 - _）", "plant (letters, digits, - _)")),
            "gateway": ask(say("网关代号", "gateway"), "gw1"),
            "data_dir": ask(say("数据目录", "data folder"), "/var/lib/smelter/agent"),
            "mqtt": _broker(),
        }
        trial = {"name": "d", "driver": "modbus-tcp", "address": "127.0.0.1:502"}
        try:
            Answers.model_validate(said | {"device": [trial]})
        except ValidationError as error:
            _tell_wrong(error, Answers)
        else:
            return said


def _broker() -> dict[str, Any]:
    url = ask(say("MQTT 服务器", "MQTT broker"), "mqtt://127.0.0.1:1883")
    said: dict[str, Any] = {"url": url}
    if url.startswith("mqtts:"):
        for key, text in (
            ("ca", say("CA 证书文件", "file of the CA")),
            ("cert", say("本机证书文件（可空）", "own certificate (may be empty)")),
            ("key", say("本机私钥文件（可空）", "own private key (may be empty)")),
        ):
            if path := _file(text):
                said[key] = path
    if name := ask(say("用户名（可空；密码只放入 0600 文件）", "user name (may be empty)")):
        said["username"] = name
    return said


def _file(question: str) -> str:
    """A file that can be read, from where the person is, written out in full; or none."""
    while said := ask(question):
        path = Path(said).expanduser().absolute()
        try:
            path.read_bytes()
        except OSError as error:
            tell(f"! {path}: {why(error)}")
        else:
            return str(path)
    return ""


def _tell_wrong(error: ValidationError, model: type[Answers | DeviceAnswers]) -> None:
    for line in wrong(error, model):
        tell(f"! {line}")


# --- devices


def devices(draft: Draft, base: Path) -> list[Proposal]:
    """Asks for one device after another, each probed and shown, until there are no more."""
    found: list[Proposal] = []
    while True:
        tell(say(f"\n—— 设备 {len(found) + 1} ——", f"\n-- device {len(found) + 1} --"))
        proposal = _one(draft, base, len(found) + 1)
        if proposal is not None:
            name = proposal.table.keys["name"]
            if any(each.table.keys["name"] == name for each in found):
                tell(say(f"! 名称 {name} 已用过", f"! the name {name} is taken"))
                continue
            found.append(proposal)
            draft.devices.append(proposal.table)
        if not sure(say("再加一台设备？", "one more device?"), default=not found):
            if found:
                return found
            tell(say("至少需要一台设备", "at least one device is needed"))


def _one(draft: Draft, base: Path, number: int) -> Proposal | None:
    try:
        device = DeviceAnswers.model_validate(_device_answers(number))
    except ValidationError as error:
        _tell_wrong(error, DeviceAnswers)
        return None
    while True:
        try:
            proposal = asyncio.run(propose(device, draft, base))
        except SilentError as error:
            tell(f"! {error}")
            if device.driver == "opcua":
                return None
            if not sure(say("没有应答，仍写入配置？", "no answer; keep it anyway?"), default=False):
                return None
            device = device.model_copy(update={"probe": False})
            continue
        except (ConfigError, DriverError) as error:
            for problem in error.problems if isinstance(error, ConfigError) else [str(error)]:
                tell(f"! {problem}")
            return None
        for line in proposal.said:
            tell(f"  {line}")
        order = proposal.facts.get("order", {})
        if order.get("best") and order["best"] != order["profile"] and not device.order:
            best = order["best"]
            if sure(say(f"改用字序 {best}？", f"use word order {best}?"), default=True):
                device = device.model_copy(update={"order": best})
                continue
        return proposal if _kept(proposal) else None


def _kept(proposal: Proposal) -> bool:
    for line in [*preview(proposal.readings), *(f"! {doubt}" for doubt in proposal.doubts)]:
        tell(line)
    return sure(say("采用这台设备？", "keep this device?"), default=not proposal.doubts)


def _device_answers(number: int) -> dict[str, Any]:
    driver = choose(
        say("接口", "interface"),
        [
            ("modbus-tcp", "Modbus/TCP"),
            ("opcua", "OPC UA"),
            (
                "hj212",
                say("HJ 212 数采仪（由它连到本机）", "HJ 212 data logger (it connects here)"),
            ),
            ("modbus-rtu-over-tcp", say("Modbus RTU（串口服务器）", "Modbus RTU over TCP")),
            ("modbus-rtu", say("Modbus RTU（本机串口）", "Modbus RTU on a serial port")),
        ],
    )
    defaults = {"opcua": "opc.tcp://192.0.2.11:4840", "hj212": "0.0.0.0:9212"}
    defaults["modbus-rtu"] = "/dev/ttyUSB0"
    address = ask(say("地址", "address"), defaults.get(driver, "192.0.2.10:502"))
    said: dict[str, Any] = {"driver": driver, "address": address}
    said["name"] = ask(say("设备名", "name of the device"), f"device{number}")
    if driver == "opcua":
        return said | _opcua_answers(address)
    if driver == "hj212":
        mn = ask(say("MN 号（空：等待数采仪上报）", "MN (empty: wait for the logger)"))
        said |= {"mn": mn} if mn else {"listen_s": 60.0}
        return said | {"equipment": ask(say("排放口", "emission point"), "gtc1/stack1")}
    if driver == "modbus-rtu":
        said["baud"] = ask(say("波特率", "baud rate"), "9600")
        said["parity"] = ask(say("校验 N、E 或 O", "parity N, E or O"), "N").upper()
        said["stopbits"] = ask(say("停止位 1 或 2", "stop bits 1 or 2"), "1")
        return said | {"unit": ask(say("从站号", "unit id"), "1")} | _map_answers()
    unit = ask(say("从站号（空：试几个常用的）", "unit id (empty: a few usual ones are tried)"))
    said |= {"unit": unit} if unit else {}
    return said | _map_answers()


def _level(profile: Profile) -> str:
    return say(*LEVELS_SAID[profile.confirmed])


def _map_answers() -> dict[str, Any]:
    """A profile of ours, or a file."""
    known = [profile for profile in profiles() if profile.driver == "modbus"]
    options = [
        (p.name, f"{p.name}  {say(*KINDS[p.kind])}  {p.said(p.title)}  ({_level(p)})")
        for p in known
    ]
    own = say("自己的点表文件（CSV）", "a point table of your own (CSV)")
    picked = choose(say("寄存器表", "register map"), [*options, ("", own)])
    if not picked:
        return {"points": _file(say("文件", "file"))}
    (profile,) = (profile for profile in known if profile.name == picked)
    equipment = ask(say("对应设备（区域/设备）", "equipment (area/unit)"), _EQUIPMENT[profile.kind])
    said: dict[str, Any] = {"profile": picked, "equipment": equipment}
    said["base"] = ask(say("起始寄存器 base", "first register, base"), "0")
    if "{" in equipment:
        said["stride"] = ask(say("相邻两台相隔的寄存器数", "registers from one to the next"), "20")
    return said


def _opcua_answers(address: str) -> dict[str, Any]:
    """Security by what the server offers; its certificate by a person's eyes."""
    from agent.setup.other_probes import ask_endpoints

    try:
        offered = asyncio.run(ask_endpoints(address))
    except DriverError as error:
        tell(f"! {error}")
        return {"security": "none"}
    for line in offered.said():
        tell(f"  {line}")
    if offered.best == "none":
        return {"security": "none"}
    question = say("已在服务器上核对，指纹一致？", "compared at the server, and equal?")
    if sure(question, default=False):
        return {"security": offered.best, "fingerprint": offered.fingerprint}
    plain = say("改用不加密连接（不推荐）？", "connect unencrypted instead (not advised)?")
    if any(each.startswith("None ") for each in offered.endpoints) and sure(plain, default=False):
        return {"security": "none"}
    raise AbortedError
