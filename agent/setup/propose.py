"""From one device's answers, and what it says when asked, to its table in the config."""

import contextlib
import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.edge.reading import Reading, read_once
from agent.setup.answers import DeviceAnswers
from agent.setup.draft import DeviceTable, Draft
from agent.setup.modbus_probe import ask_units, best_order
from agent.setup.preview import plainly
from drivers.language import language, say, why
from drivers.model import ConfigError, DriverError
from drivers.profiles import Profile, profiles, read_head
from drivers.tables import decode_table, write_points


class SilentError(Exception):
    """A device that was to be asked did not answer, or not as its config needs it."""

    def __init__(self, text: str, facts: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.facts = facts or {}  # what it did say


@dataclass
class Proposal:
    """The table of a device, what it said, and a first reading."""

    table: DeviceTable
    said: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    doubts: list[str] = field(
        default_factory=list
    )  # a person must accept them, or change something
    readings: list[Reading] = field(default_factory=list)


async def propose(device: DeviceAnswers, draft: Draft, base: Path) -> Proposal:
    """
    Ask the device (reading only), and draft its table; files it names are relative to ``base``.

    SilentError when it does not answer as needed, ConfigError for a mistake of the answers.
    """
    by_driver = {"opcua": _opcua, "hj212": _logger}
    proposal = await by_driver.get(device.driver, _modbus)(device, draft, base)
    if device.driver != "hj212" and device.probe:
        proposal.readings = await read_once(draft.load([proposal.table]))
        silent = [plainly(r.reason) for r in proposal.readings if not r.answered]
        proposal.said += [say(f"读取失败：{reason}", f"not read: {reason}") for reason in silent]
        if silent and len(silent) == len(proposal.readings):
            raise SilentError(f"{device.name}: {silent[0]}")
        _judge(proposal, device.name)
    return proposal


def _judge(proposal: Proposal, name: str) -> None:
    """A device that refuses registers of its profile is mostly another one."""
    found: dict[str, list[str]] = {"refused": [], "out_of_range": []}
    count = 0
    for reading in proposal.readings:
        for row in reading.rows(zh=language() == "zh"):
            count += 1
            if row[5] in found:
                found[row[5]].append(f"{row[2].split()[0]} {row[6]}")
    if refused := found["refused"]:
        some = ", ".join(refused[:3]) + (" …" if len(refused) > 3 else "")
        told = say(
            f"{name}：{count} 个测点中有 {len(refused)} 个被设备拒绝（{some}）；"
            "可能不是这种设备或版本不同，请核对手册，删去没有的行",
            f"{name}: the device refuses {len(refused)} of {count} points ({some}): another device "
            "or edition than the table is for? Compare with its manual, delete what it lacks",
        )
        proposal.doubts.append(told)
    if out := found["out_of_range"]:
        some = ", ".join(out[:3]) + (" …" if len(out) > 3 else "")
        told = say(f"! 超出合理范围：{some}", f"! out of range: {some}")
        proposal.said.append(told)


def _head(device: DeviceAnswers) -> dict[str, object]:
    keys: dict[str, object] = {
        "name": device.name,
        "driver": device.driver,
        "address": device.address,
    }
    more = {"interval_s": device.interval_s, "timeout_s": device.timeout_s}
    return keys | {key: value for key, value in more.items() if value is not None}


# --- tables


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None


def _profile_of(device: DeviceAnswers, base: Path) -> Path:
    known = {profile.name: profile.path for profile in profiles()}
    if device.profile in known:
        return known[device.profile]
    path = base / device.profile
    if not path.is_file():
        names = ", ".join(known)
        told = say(
            f"没有 profile {device.profile!r}；有：{names}，或写文件路径",
            f"no profile {device.profile!r}; there are {names}, or write the path of a file",
        )
        raise ConfigError([f"{device.name}: {told}"])
    return path


def _tables(device: DeviceAnswers, draft: Draft, base: Path) -> dict[str, object]:
    """Copies the profile or table of a device into the draft; the keys that name it."""
    if bool(device.profile) == bool(device.points):
        told = say(
            "请给出 profile（smelter agent profiles 列出）或 points（点表文件）之一",
            "give a profile (listed by smelter agent profiles) or points, a table of your own",
        )
        raise ConfigError([f"{device.name}: {told}"])
    if device.points is not None:
        name = f"points/{device.name}.csv"
        return {"points": draft.put_table(name, _read(base / device.points), device.name)}
    path = _profile_of(device, base)
    if not device.equipment:
        told = say(
            '用 profile 时须写 equipment = "line1/ac1"', 'a profile needs equipment = "line1/ac1"'
        )
        raise ConfigError([f"{device.name}: {told}"])
    keys: dict[str, object] = {
        "profile": draft.put_table(f"profiles/{path.name}", _read(path), device.name),
        "equipment": device.equipment,
    }
    if device.base or device.stride:
        keys |= {"base": device.base, "stride": device.stride}
    return keys


def _reordered(data: bytes, order: str) -> bytes:
    """A table with another word order in every row that has more than bits."""
    text = decode_table(data, "profile")
    comments = [line for line in text.splitlines() if line.startswith("#")]
    body = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    rows = list(csv.DictReader(body))
    columns = list(rows[0]) if rows else []
    columns += [] if "order" in columns else ["order"]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    wide = ("32", "48", "64")
    for row in rows:
        swap = str(row.get("type", "")).endswith(wide)
        writer.writerow(row | ({"order": order} if swap else {}))
    return ("\n".join([*comments, ""]) + out.getvalue()).encode()


# --- Modbus


async def _modbus(device: DeviceAnswers, draft: Draft, base: Path) -> Proposal:
    proposal = Proposal(DeviceTable(_head(device)))
    if device.driver == "modbus-rtu":
        line: dict[str, object] = {"baudrate": device.baud, "parity": device.parity}
        proposal.table.serial = line | {"stopbits": device.stopbits, "bytesize": device.bytesize}
    unit = device.unit
    if device.probe:
        try:
            answered = await ask_units(device)
        except DriverError as error:
            raise SilentError(f"{device.name}: {plainly(str(error))}") from None
        proposal.facts |= answered.as_json()
        proposal.said += answered.said()
        if answered.silent and not answered.units:
            reason = next(iter(answered.silent.values()))
            raise SilentError(f"{device.name}: {plainly(reason)}", proposal.facts)
        if unit is None and answered.units:
            named = [unit for unit, who in answered.units.items() if who is not None]
            unit = (named or list(answered.units))[0]
    keys = proposal.table.keys
    keys |= {"unit": 1 if unit is None else unit} | _tables(device, draft, base)
    if "profile" in keys:
        name = str(keys["profile"])
        _tell_doubt(proposal, draft.folder / name)
        if device.order:
            keys["profile"] = _put_order(draft, device, name, device.order)
        elif device.probe:
            await _check_order(proposal, draft, name)
    return proposal


def _put_order(draft: Draft, device: DeviceAnswers, name: str, order: str) -> str:
    own = name.replace(".csv", f"-{device.name}.csv")
    data = _reordered((draft.folder / name).read_bytes(), order)
    return draft.put_table(own, data, device.name)


async def _check_order(proposal: Proposal, draft: Draft, name: str) -> None:
    """Says when another word order than the profile's gives plausible values."""
    config = draft.load([proposal.table])
    (found,) = config.devices
    with contextlib.suppress(DriverError):
        best, plausible, refused = await best_order(found, draft.folder)
        if not plausible:
            return
        own = next((p.order for p in config.points if p.type.endswith(("32", "64"))), "ABCD")
        proposal.facts["order"] = {"profile": own, "best": best, "plausible": plausible}
        if refused:
            return  # nothing of it can be called plausible; what was refused is told
        if not any(plausible.values()):
            told = say(
                f"! {name}：按任何字序都没有合理的非零值，字序无法判断；请核对手册、变比与表计显示",
                f"! {name}: no plausible value but zero in any word order, so it cannot be told; "
                "check manual, ratios and the display",
            )
        elif not best:
            told = say(
                f"! {name}：几种字序同样合理，无法判断；请与表计显示核对",
                f"! {name}: several word orders are as plausible, so it cannot be told; compare "
                "with the display",
            )
        elif best != own:
            told = say(
                f"! {name}：字序 {own} 的值不合理，{best} 合理；核对后写 order = {best}",
                f"! {name}: implausible as {own}, plausible as {best}; check, then say order",
            )
        else:
            told = say(f"{name}：字序 {own} 的值合理", f"{name}: plausible as {own}")
        proposal.said.append(told)


def _tell_doubt(proposal: Proposal, path: Path) -> None:
    head: Profile | None = read_head(path)
    if head is not None:
        proposal.facts["profile"] = {"name": head.name, "confirmed": head.confirmed}
        if head.max_registers:
            proposal.table.keys["max_registers"] = head.max_registers
        if head.doubt:
            unsure = proposal.doubts if head.confirmed == "unverified" else proposal.said
            unsure.append(head.doubt if unsure is proposal.doubts else f"! {head.doubt}")
            proposal.table.remarks.append(head.doubt)


# --- OPC UA


async def _opcua(device: DeviceAnswers, draft: Draft, base: Path) -> Proposal:
    from agent.setup.other_probes import ask_endpoints, browse

    proposal = Proposal(DeviceTable(_head(device)))
    keys = proposal.table.keys
    try:
        offered = await ask_endpoints(device.address)
    except DriverError as error:
        raise SilentError(f"{device.name}: {error}") from None
    proposal.facts |= offered.as_json()
    proposal.said += offered.said()
    security = offered.best if device.security == "auto" else device.security
    keys["security"] = security
    if security != "none":
        _trust(device, draft, keys, offered.certificate, offered.fingerprint)
    if device.points is not None:
        keys |= _tables(device, draft, base)
        return proposal
    name = f"points/{device.name}.csv"
    draft.put(name, b"equipment,quantity,address\na/b,meter.active_power,i=2258\n")
    keys["points"] = name
    (found,) = draft.load([proposal.table]).devices
    try:
        variables = await browse(found, device.root)
    except DriverError as error:
        raise SilentError(f"{device.name}: {plainly(str(error))}", proposal.facts) from None
    except (ValueError, LookupError) as error:
        raise ConfigError([f"{device.name} root: {error}"]) from None
    rows = [variable.row() for variable in variables]
    ready = sum(not row["equipment"].startswith("#") for row in rows)
    out = io.StringIO()
    write_points(rows, out)
    draft.put(name, out.getvalue().encode())
    proposal.facts |= {"variables": len(rows), "placed": ready}
    told = say(
        f"{len(rows)} 个变量，{ready} 个已猜出设备和量，其余以 # 开头，待填写",
        f"{len(rows)} variables, {ready} placed by a guess; the others begin with # and wait",
    )
    proposal.said.append(told)
    if not ready:
        hint = f"smelter browse {device.address} --out {device.name}.csv"
        told = say(
            f"没有可用的测点：先用 {hint} 做点表，再以 points 给出",
            f"no point could be placed: make a table with {hint} and give it as points",
        )
        raise SilentError(f"{device.name}: {told}", proposal.facts)
    return proposal


def _trust(
    device: DeviceAnswers, draft: Draft, keys: dict[str, object], shown: bytes, fingerprint: str
) -> None:
    """Pin the certificate that was compared on site, and make one of our own."""
    from drivers.opcua.certificates import create_certificate

    if not shown or device.fingerprint != fingerprint:
        told = say(
            f"服务器证书的指纹为 {fingerprint or '无'}；请在服务器上核对后写入 fingerprint",
            f"the server shows {fingerprint or 'no certificate'}; compare at the server, then "
            "give it as fingerprint",
        )
        raise ConfigError([f"{device.name}: {told}"])
    place = f"certificates/{device.name}"
    keys["server_certificate"] = draft.put(f"{place}/server.der", shown)
    certificate, key = create_certificate(draft.folder / place, "smelter-agent")
    keys["certificate"] = str(certificate.relative_to(draft.folder))
    keys["key"] = str(key.relative_to(draft.folder))


# --- HJ 212


async def _logger(device: DeviceAnswers, draft: Draft, base: Path) -> Proposal:
    from agent.setup.other_probes import listen

    proposal = Proposal(DeviceTable(_head(device)))
    mn = device.mn
    if device.probe:
        try:
            heard = await listen(device)
        except DriverError as error:
            raise SilentError(f"{device.name}: {plainly(str(error))}") from None
        proposal.facts |= heard.as_json()
        proposal.said += heard.said()
        mn = mn or (heard.mns[0] if len(heard.mns) == 1 else "")
    if not mn:
        told = say(
            "须给出 mn（数采仪的 24 位编号），或以 listen_s 等待其上报",
            "give mn (24 characters), or wait for the logger with listen_s",
        )
        raise ConfigError([f"{device.name}: {told}"])
    chosen = device
    if not device.points and not device.profile:
        chosen = device.model_copy(update={"profile": "cems-hj212"})
    proposal.table.keys |= _tables(chosen, draft, base)
    proposal.table.logger = {"mn": mn}
    return proposal
