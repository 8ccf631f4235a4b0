"""The data catalogue of a site: what people entered, what was reported, what proves it."""

from collections.abc import Iterable
from pathlib import Path

from drivers.classes import ClassRules, rules_in
from drivers.doctor import Text
from drivers.keeping import Holding
from drivers.keeping_files import named
from drivers.keeping_words import (
    BY_PACKAGE,
    FOREVER,
    PLAIN,
    PRIVATE,
    STAYS,
    file_times,
    modes,
    since,
)
from drivers.tomlfile import read_tables
from reports.keeping import entries_of
from reports.keeping_console import STORE, console_folder

# kind, class of, what, files beside the entries
ROWS = (
    (
        "entries",
        Text("人工录入数据与单据", "entered figures and their documents"),
        ("", "documents"),
    ),
    ("journal", Text("环保记录", "environmental journal"), ("journal.jsonl",)),
    ("reports", Text("已提交报告及存证登记", "lodged reports"), ("lodgings.jsonl", "lodged")),
)


def holdings(config: Path) -> Iterable[Holding]:
    """Raises ConfigError for a config that cannot be read."""
    rules = rules_in(read_tables(config), config)
    entries = entries_of(config)
    for kind, what, files in ROWS:
        paths = [entries.with_name(name) if name else entries for name in files]
        if kind == "reports":
            paths.append(config.parent / "reports")
        yield Holding(
            kind,
            what,
            rules.of(kind),
            tuple(str(path) for path in paths),
            modes(paths),
            FOREVER,
            PLAIN,
            BY_PACKAGE,
            since(file_times(paths)),
        )
    keys = entries.with_name("report-keys")
    yield Holding(
        "keys",
        Text("报告签名私钥", "keys that sign packages"),
        rules.of("keys"),
        (str(keys),),
        modes([keys]),
        FOREVER,
        PRIVATE,
        STAYS,
        since(file_times([keys])),
    )
    yield _configs(config, entries, rules)
    console = console_folder(config, entries)
    yield Holding(
        "keys",
        Text(
            "控制台账户：姓名、角色、密码与令牌的哈希",
            "accounts of the console: persons, roles, hashes of passwords and tokens",
        ),
        rules.of("keys"),
        (str(console / STORE),),
        modes([console / STORE]),
        FOREVER,
        PRIVATE,
        STAYS,
        since(file_times([console / STORE])),
    )
    audit = entries.with_name("audit")
    yield Holding(
        "audit",
        Text("办公室审计日志", "the office's audit trail"),
        rules.of("audit"),
        (str(audit),),
        modes([audit]),
        Text("至少六个月", "six months at least"),
        PLAIN,
        STAYS,
        since(file_times(audit.glob("*.jsonl*") if audit.exists() else [])),
    )


def _configs(config: Path, entries: Path, rules: ClassRules) -> Holding:
    """Site file, what it names, and what two persons signed."""
    return Holding(
        "configs",
        Text("企业配置、计划与补充规则", "site file, plans, overlays"),
        rules.of("configs"),
        (
            str(config),
            *sorted({str(path) for _, path, _ in named(config)} - {str(entries)}),
            str(entries.with_name("signed-rules")),
        ),
        modes([config]),
        FOREVER,
        PLAIN,
        BY_PACKAGE,
        since(file_times([config])),
    )
