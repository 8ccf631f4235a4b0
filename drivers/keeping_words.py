"""Sentences of the data catalogue that several rooms use, and what the file system says."""

import grp
import pwd
import stat
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from drivers.classes import RANK, ClassRules
from drivers.doctor import Text
from drivers.model import DataClass
from drivers.quantities import quantities

FOREVER = Text("长期，不自动删除", "without end: nothing deletes it")
WITH_RETENTION = Text("按 [log] 设置", "as [log] says")
PLAIN = Text(
    "本程序不加密；有哈希与签名防篡改，保密依靠目录权限和磁盘加密（LUKS）",
    "not encrypted by us; hashes and signatures against tampering, secrecy by the modes of the "
    "folders and an encrypted disk (LUKS)",
)
PRIVATE = Text(
    "私钥为 PKCS#8 明文，权限 0600；备份中以口令加密（scrypt、AES-256-GCM）",
    "private keys are plain PKCS#8, mode 0600; in a backup sealed by a passphrase "
    "(scrypt, AES-256-GCM)",
)
STAYS = Text("不离开本机", "does not leave this machine")
BY_PACKAGE = Text(
    "仅随证据包或备份文件离开，文件本身不加密",
    "only in packages and backups, which are not encrypted",
)
_PLANT_TIME = timezone(timedelta(hours=8))


def by_class(rules: ClassRules, names: Iterable[str]) -> dict[DataClass, tuple[str, ...]]:
    """Quantities by class, the highest class first; classes without any are left out."""
    known = quantities()
    listed = sorted({name for name in names if name in known})
    found = {of: tuple(n for n in listed if rules.of(n) is of) for of in reversed(RANK)}
    return {of: each for of, each in found.items() if each}


def modes(paths: Iterable[Path]) -> Text:
    """Owner, group and mode of each path, as they are now."""
    told = []
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            told.append(f"{path.name}: –")
            continue
        mode = stat.S_IMODE(found.st_mode)
        told.append(f"{path.name} {_user(found.st_uid)}:{_group(found.st_gid)} {mode:04o}")
    text = ", ".join(told)
    return Text(text, text)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def joined(*texts: Text) -> Text:
    """One sentence from several."""
    return Text("；".join(x.zh for x in texts if x.zh), "; ".join(x.en for x in texts if x.en))


def days(count: float) -> Text:
    """How long a gateway keeps a stream."""
    return Text(f"{count:g} 天，确认送达后删除", f"{count:g} days, deleted when receipted")


def since(times_ns: Iterable[int]) -> Text:
    """From the oldest there is."""
    oldest = min(times_ns, default=0)
    if not oldest:
        return Text("尚无数据", "nothing yet")
    day = datetime.fromtimestamp(oldest / 1e9, UTC).astimezone(_PLANT_TIME).date()
    return Text(str(day), str(day))


def file_times(paths: Iterable[Path]) -> list[int]:
    """When each of them was last written; what is not there is left out."""
    found = []
    for path in paths:
        try:
            found.append(path.stat().st_mtime_ns)
        except OSError:
            continue
    return found


def secured(tables: Mapping[str, object]) -> Text:
    """What protects data on the way to the broker, by ``[mqtt]`` as it is written."""
    table = tables.get("mqtt")
    url = str(table.get("url", "")) if isinstance(table, Mapping) else ""
    if not url.startswith("mqtts://"):
        return Text(f"MQTT 未加密（{url}）", f"MQTT, not encrypted ({url})")
    mutual = isinstance(table, Mapping) and "cert" in table
    who = (
        Text("双向证书", "both ends by certificate")
        if mutual
        else Text("仅验证服务器", "server only")
    )
    return Text(f"MQTT 经 TLS ≥ 1.2，{who.zh}", f"MQTT in TLS ≥ 1.2, {who.en}")
