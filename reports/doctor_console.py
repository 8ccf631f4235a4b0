"""What the doctor sees of the console: who administers, its certificate, files open to others."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from drivers.doctor import Finding, Text
from drivers.language import why
from drivers.model import ConfigError
from drivers.tls import loopback
from reports.console.doors.listener import tls_context
from reports.console.doors.store import FILE, Store
from reports.site import Site
from reports.site_console import Console

WARN_DAYS, BAD_DAYS = 30, 7


def check_console(site: Site, now_ns: int) -> Iterator[Finding]:
    """Nothing is said where no console was ever started and none is configured."""
    folder = site.console.data_dir or site.entries.with_name("console")
    yield from _certificate(site.console, now_ns)
    if (folder / FILE).exists():
        yield from _open_to_others(folder)
        yield from _accounts(folder)


def _accounts(folder: Path) -> Iterator[Finding]:
    try:
        store = Store(folder)
    except ConfigError as error:
        problem = error.problems[0]
        yield Finding("bad", "console", Text(problem, problem), where=str(folder))
        return
    users, bosses = store.users(), store.administrators()
    store.close()
    where = str(folder / FILE)
    if not bosses:
        yield Finding(
            "bad",
            "console",
            Text("没有管理员账户", "there is no administrator"),
            Text(
                "smelter users add 账户名 --role administrator",
                "smelter users add NAME --role administrator",
            ),
            where,
        )
        return
    living = [each for each in users if not each.closed]
    told = Text(
        f"{len(living)} 个账户，其中管理员 {len(bosses)} 个",
        f"{len(living)} accounts, {len(bosses)} of them administer",
    )
    yield Finding("ok", "console", told, where=where)


def _open_to_others(folder: Path) -> Iterator[Finding]:
    """Whoever can write there makes himself an administrator."""
    for path in (folder, *sorted(folder.glob(f"{FILE}*"))):
        try:
            mode = path.stat().st_mode
        except OSError as error:
            yield Finding("warn", "console", Text(why(error), why(error)), where=str(path))
            continue
        readable = stat.S_IROTH | stat.S_IRGRP if path != folder else 0
        if mode & (stat.S_IWGRP | stat.S_IWOTH | readable):
            command = f"chmod {'700' if path == folder else '600'} {path}"
            yield Finding(
                "bad",
                "console",
                Text(
                    f"其他用户可以读写账户数据（{mode & 0o777:o}）",
                    f"others can read or write the accounts ({mode & 0o777:o})",
                ),
                Text(command, command),
                str(path),
            )


def _certificate(settings: Console, now_ns: int) -> Iterator[Finding]:
    if settings.cert is None and settings.key is None:
        if not loopback(settings.listen.rpartition(":")[0].strip("[]")):
            yield Finding(
                "bad",
                "console",
                Text("监听网络但没有证书，不会启动", "listens on a network without a certificate"),
                Text("在 [console] 写明 cert 和 key", "say cert and key in [console]"),
                settings.listen,
            )
        return
    try:
        tls_context(settings)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("bad", "console", Text(problem, problem), where=str(settings.cert))
        return
    assert settings.cert is not None  # noqa: S101 - or there were no context
    days = _days_left(settings.cert, now_ns)
    level = "bad" if days < BAD_DAYS else "warn" if days < WARN_DAYS else "ok"
    renew = Text(
        "更换证书文件后 systemctl reload smelter-console",
        "put a new one in its place, then systemctl reload smelter-console",
    )
    told = Text(f"控制台证书还有 {days} 天到期", f"the console's certificate ends in {days} days")
    if days < 0:
        told = Text(
            f"控制台证书已过期 {-days} 天", f"the console's certificate ended {-days} days ago"
        )
    if level == "ok":
        yield Finding("ok", "console", told, where=str(settings.cert))
    else:
        yield Finding(
            "bad" if level == "bad" else "warn", "console", told, renew, str(settings.cert)
        )


def _days_left(cert: Path, now_ns: int) -> int:
    from cryptography import x509

    until = x509.load_pem_x509_certificate(cert.read_bytes()).not_valid_after_utc
    return (until - datetime.fromtimestamp(now_ns / 1e9, UTC)).days
