"""Clock, time zone, room on the disk, owners and modes."""

import os
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.doctor.configs import gateway_of, historian_of
from agent.doctor.logbook import per_day
from agent.edge.clock_state import LOCKED_NS, kernel_clock
from agent.keeping.gateway import data_dir_of
from drivers.doctor import NOTHING, Finding, Given, Level, Text
from drivers.keeping_files import named, named_secret
from drivers.model import ConfigError

DAY_S = 86400
LOW, VERY_LOW = 0.15, 0.05  # share of the disk that is free: our own limits, tell early


def clock(given: Given) -> Iterable[Finding]:
    """Is the clock set, by whom, and how wrong can it be; which zone people here see."""
    del given
    kernel = kernel_clock()
    error_ms = (kernel.maxerror_ns or 0) / 1e6
    offset_ms = (kernel.offset_ns or 0) / 1e6
    if not kernel.synced:
        yield Finding(
            "bad",
            "clock",
            Text(
                "系统时钟未同步，数据会被标记为未对时",
                "the clock is not synchronised; data are flagged",
            ),
            Text(
                "启用 chrony 并指向厂内 NTP 或北斗时间服务器，再查看 chronyc sources",
                "enable chrony with the plant's NTP or BeiDou server; see chronyc sources",
            ),
        )
    else:
        told = f"{kernel.source}, {offset_ms:+.3f} ms, ≤ {error_ms:.0f} ms"
        late = (kernel.maxerror_ns or 0) > LOCKED_NS
        yield Finding(
            "warn" if late else "ok",
            "clock",
            Text(f"已同步（{told}）", f"synchronised ({told})"),
            Text(
                "误差上限偏大：检查时间源是否稳定（chronyc tracking）",
                "it may be far off: look at the time source (chronyc tracking)",
            )
            if late
            else NOTHING,
        )
    hours = time.localtime().tm_gmtoff / 3600
    zone = f"{time.strftime('%Z')} (UTC{hours:+g})"
    if hours == 8:
        yield Finding("ok", "clock", Text(f"时区 {zone}", f"time zone {zone}"))
    else:
        yield Finding(
            "note",
            "clock",
            Text(
                f"本机时区 {zone}；数据与报告一律按 UTC+8 计日，不受影响",
                f"time zone {zone}; days of data and reports are of UTC+8 in any case",
            ),
            Text(
                "如需统一：timedatectl set-timezone Asia/Shanghai",
                "to have one: timedatectl set-timezone Asia/Shanghai",
            ),
        )


def data_dirs(given: Given) -> dict[str, Path]:
    """Data folders of what was named and can be read."""
    found = {}
    for name, config in (("gateway", given.gateway), ("historian", given.historian)):
        try:
            if config is not None:
                found[name] = data_dir_of(config)
        except ConfigError:
            continue
    return found


def disk(given: Given) -> Iterable[Finding]:
    """Free room and inodes; whether retention fits into the room at the pace of these days."""
    for name, folder in data_dirs(given).items():
        if not folder.exists():
            yield Finding(
                "warn",
                "disk",
                Text("数据目录尚不存在", "the data folder is not there yet"),
                Text(
                    "首次启动服务时自动建立；已运行过则检查挂载",
                    "the first start makes it; else look at the mount",
                ),
                str(folder),
            )
            continue
        try:
            room = os.statvfs(folder)
        except OSError:
            continue
        yield from _free(folder, room)
        yield from _retention(name, folder, given, room.f_bavail * room.f_frsize)


def _free(folder: Path, room: os.statvfs_result) -> Iterator[Finding]:
    free, whole = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    share = free / max(whole, 1)
    told = f"{_size(free)} / {_size(whole)} ({share:.0%})"
    level: Level = "bad" if share < VERY_LOW else "warn" if share < LOW else "ok"
    todo = Text(
        "清理磁盘或扩容；未确认送达的数据不会被删除，磁盘满后停止记录",
        "make room; what is not receipted is never deleted, a full disk stops recording",
    )
    yield Finding(
        level,
        "disk",
        Text(f"可用 {told}", f"free {told}"),
        NOTHING if level == "ok" else todo,
        str(folder),
    )
    if room.f_files:
        left = room.f_favail / room.f_files
        if left < 0.1:
            yield Finding(
                "bad" if left < 0.02 else "warn",
                "disk",
                Text(f"剩余 inode {left:.1%}", f"{left:.1%} of the inodes are left"),
                Text("删除大量小文件，或重建文件系统", "remove many small files: find / -xdev | …"),
                str(folder),
            )


def _retention(name: str, folder: Path, given: Given, free: int) -> Iterator[Finding]:
    """What the streams write a day, and when the disk is full or retention begins to delete."""
    streams = {"record": folder / "record", "raw": folder / "raw"}
    days = {"record": float("inf"), "raw": float("inf")}
    config = gateway_of(given) if name == "gateway" else None
    if config is not None:
        days = {"record": config.log.record_days, "raw": config.log.raw_days}
    if name == "historian":
        streams = {"originals": folder / "originals", "lake": folder / "lake"}
        if (found := historian_of(given)) is not None:
            streams["lake"] = found.lake_path
        days = dict.fromkeys(streams, float("inf"))
    rates = {stream: per_day(path, given.now_ns) for stream, path in streams.items()}
    here = {stream: rate for stream, rate in rates.items() if rate is not None}
    if not here:
        return
    daily = sum(rate.bytes_per_day for rate in here.values())
    told = ", ".join(f"{stream} {_size(rate.bytes_per_day)}" for stream, rate in here.items())
    still = sum(
        max(0.0, days[stream] * rate.bytes_per_day - rate.bytes) for stream, rate in here.items()
    )
    lasts = free / max(daily, 1.0)
    fits = still <= free
    zh = f"每天写入 {_size(daily)}（{told}）"
    en = f"{_size(daily)} a day ({told})"
    if fits:
        yield Finding(
            "ok",
            "disk",
            Text(
                f"{zh}；按保存期限还需 {_size(still)}，空间足够",
                f"{en}; retention needs {_size(still)} more, there is room",
            ),
            where=str(folder),
        )
        return
    forever = still == float("inf")
    yield Finding(
        "warn" if lasts < 365 else "ok",
        "disk",
        Text(
            f"{zh}；按此速度约 {lasts:,.0f} 天后写满"
            + ("（历史库长期保存）" if forever else "，早于保存期限"),
            f"{en}; at this pace the disk is full in {lasts:,.0f} days"
            + (" (the historian keeps everything)" if forever else ", before retention ends"),
        ),
        Text(
            "扩容，或缩短 [log] raw_days（历史库：[retention]）",
            "a bigger disk, or shorter [log] raw_days (historian: [retention])",
        )
        if lasts < 365
        else NOTHING,
        str(folder),
    )


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def permissions(given: Given) -> Iterable[Finding]:
    """Nobody else reads the data; keys and passwords are their owner's alone."""
    for folder in data_dirs(given).values():
        if folder.exists():
            yield from _data(folder)
    for config in (given.gateway, given.historian, given.site):
        try:
            secrets = [path for _, path, secret in named(config) if secret] if config else []
        except ConfigError:
            continue
        yield from _secrets(config, secrets)


def _data(folder: Path) -> Iterator[Finding]:
    found = folder.stat()
    if found.st_mode & 0o007:
        yield Finding(
            "warn",
            "permissions",
            Text(
                f"其他用户可访问数据目录（{stat.S_IMODE(found.st_mode):04o}）",
                f"anybody may enter the data folder ({stat.S_IMODE(found.st_mode):04o})",
            ),
            Text(f"chmod 750 {folder}", f"chmod 750 {folder}"),
            str(folder),
        )
    else:
        yield Finding(
            "ok",
            "permissions",
            Text("仅所属用户和组可访问数据", "only owner and group may enter the data folder"),
            where=str(folder),
        )
    for keys in (folder / "keys", folder / "certificates"):
        if not keys.exists():
            continue
        if not os.access(keys, os.R_OK | os.X_OK):
            yield Finding(
                "note",
                "permissions",
                Text("当前用户无权查看，未检查", "this user may not look into it: not checked"),
                where=str(keys),
            )
            continue
        yield from _secrets(keys, sorted(x for x in keys.rglob("*") if named_secret(x.name)))
    if os.access(folder, os.R_OK | os.X_OK):
        yield from _owners(folder, found.st_uid)


def _owners(folder: Path, owner: int) -> Iterator[Finding]:
    """A command that was run as root leaves files that the service cannot write."""
    strange = []
    for path in sorted({*folder.glob("*"), *folder.glob("*/*"), *folder.glob("*/*/*")}):
        try:
            if path.lstat().st_uid != owner:
                strange.append(path)
        except OSError:
            continue
    if strange:
        yield Finding(
            "bad",
            "permissions",
            Text(
                f"{len(strange)} 个文件不属于服务用户，例如 {strange[0]}",
                f"{len(strange)} files do not belong to the service's user, e.g. {strange[0]}",
            ),
            Text(
                f"chown -R --reference={folder} {folder}", f"chown -R --reference={folder} {folder}"
            ),
            str(folder),
        )


def _secrets(where: Path | None, paths: list[Path]) -> Iterator[Finding]:
    """One line for all that are good, one for each that is not."""
    good = 0
    for path in paths:
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError:
            continue
        if not mode & 0o077:
            good += 1
            continue
        yield Finding(
            "bad",
            "permissions",
            Text(
                f"密钥或口令文件他人可读（{mode:04o}）",
                f"a secret that others can read ({mode:04o})",
            ),
            Text(f"chmod 600 {path}", f"chmod 600 {path}"),
            str(path),
        )
    if good:
        told = Text(f"{good} 个密钥或口令文件仅属主可读", f"{good} secrets, for their owner only")
        yield Finding("ok", "permissions", told, where=str(where))
