"""What ``smelter doctor`` says of audit trails: room, and whether the end is what it was."""

from collections.abc import Iterable, Iterator

from drivers.audit import AuditTrail
from drivers.audit_config import trail_of
from drivers.doctor import Finding, Given, Text

ROOM = Text(
    "请提高 [audit] quota_mb，或核查是什么在大量写入；满额后新操作将无法记录，数据采集不受影响",
    "raise [audit] quota_mb, or find out what writes so much; once full, new acts are not "
    "recorded; acquisition goes on",
)


def look(given: Given) -> Iterable[Finding]:
    """The trails of the configs that were named."""
    for place in (given.gateway, given.historian, given.site):
        if place is not None:
            trail = trail_of(place)
            if trail.folder.is_dir():
                yield from _of(trail)


def _of(trail: AuditTrail) -> Iterator[Finding]:
    usage, where = trail.usage(), str(trail.folder)
    said = Text(
        f"审计日志已用配额 {usage.share:.1%}（{usage.used_bytes:,} / {usage.quota_bytes:,} 字节）",
        f"the audit trail uses {usage.share:.1%} of its quota "
        f"({usage.used_bytes:,} of {usage.quota_bytes:,} bytes)",
    )
    if usage.share >= 1:
        yield Finding("bad", "audit", said, ROOM, where)
    elif usage.warns:
        yield Finding("warn", "audit", said, ROOM, where)
    else:
        yield Finding("ok", "audit", said, where=where)
    if usage.used_bytes > 64 << 20:
        yield Finding(
            "note",
            "audit",
            Text(
                "日志超过 64 MB，此处未核验日志链",
                "the trail is larger than 64 MB: its chain was not checked here",
            ),
            Text("请运行 smelter audit check FILE", "run smelter audit check FILE"),
            where,
        )
        return
    broken = trail.check()
    if broken is not None:
        yield Finding(
            "bad",
            "audit",
            Text(f"审计日志链断开：{broken}", f"the chain of the audit trail is broken: {broken}"),
            Text(
                "请用 smelter audit check FILE --historian historian.toml 与历史库比对，"
                "保留现场并查明原因",
                "compare with smelter audit check FILE --historian historian.toml, keep everything "
                "as it is and find out why",
            ),
            where,
        )
