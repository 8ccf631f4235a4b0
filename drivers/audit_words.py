"""What an act of the audit trail is called, in both languages."""

from drivers.language import language

# what -> (zh, en); a room that records something new adds its line here.
DEEDS: dict[str, tuple[str, str]] = {
    "config.loaded": ("载入配置", "configuration loaded"),
    "config.refused": ("配置被拒绝", "configuration refused"),
    "config.changed": ("配置变更", "configuration changed"),
    "config.accepted": ("认可配置", "configuration accepted"),
    "entry.added": ("录入数据", "entry added"),
    "entry.revised": ("修订录入数据", "entry revised"),
    "entry.withdrawn": ("撤销录入数据", "entry withdrawn"),
    "mark.added": ("添加环保记录", "journal record added"),
    "mark.withdrawn": ("撤销环保记录", "journal record withdrawn"),
    "report.made": ("生成报告", "report made"),
    "report.signed": ("报告签字", "report signed"),
    "package.made": ("生成证据包", "package made"),
    "lodge.added": ("登记存证", "report lodged"),
    "rules.proposed": ("提议补充规则", "rules overlay proposed"),
    "rules.signed": ("签署补充规则", "rules overlay signed"),
    "rules.refused": ("退回补充规则", "rules overlay refused"),
    "notice.tested": ("试发通知", "notice tried"),
    "export.made": ("导出", "export made"),
    "act.refused": ("越权操作被拒绝", "act without the right to it refused"),
    "login.accepted": ("登录成功", "login accepted"),
    "login.refused": ("登录被拒绝", "login refused"),
    "login.ended": ("退出登录", "logged out"),
    "login.locked": ("登录失败过多，暂时锁定", "locked for a while after failed log-ins"),
    "token.made": ("签发令牌", "token made"),
    "token.revoked": ("吊销令牌", "token revoked"),
    "user.added": ("新建账户", "account made"),
    "user.changed": ("用户变更", "user changed"),
    "user.closed": ("停用账户", "account closed"),
    "user.opened": ("启用或解锁账户", "account opened or unlocked"),
    "user.password": ("更改密码", "password changed"),
    "user.roles": ("更改角色", "roles changed"),
    "key.made": ("生成密钥", "key made"),
    "key.rotated": ("更换密钥", "key rotated"),
    "key.accepted": ("认可密钥", "key accepted"),
    "peer.refused": ("拒绝对端", "peer refused"),
    "certificate.made": ("生成证书", "certificate made"),
    "certificate.revoked": ("吊销证书", "certificate revoked"),
    "certificate.renewed": ("更新证书", "certificate renewed"),
    "backup.made": ("备份", "backup made"),
    "backup.restored": ("恢复备份", "backup restored"),
    "retention.approved": ("批准清除到期数据", "deletion after retention approved"),
    "retention.deleted": ("到期清除", "deleted after retention"),
    "store.rebuilt": ("重建数据库", "store rebuilt"),
    "log.damaged": ("数据日志损坏", "batch log damaged"),
    "audit.quota": ("审计日志将满", "audit trail nearly full"),
    "audit.repaired": ("修复审计日志末行", "torn end of the audit trail cut"),
    "audit.missed": ("未能记录的操作", "acts that could not be recorded"),
    "process.started": ("进程启动", "process started"),
    "process.stopped": ("进程停止", "process stopped"),
}

RESULTS = {"ok": ("成功", "ok"), "refused": ("拒绝", "refused"), "failed": ("失败", "failed")}


def deed(what: str) -> str:
    """In the language of this run; the name itself when it is not known here."""
    return DEEDS.get(what, (what, what))[language() != "zh"]


def result(name: str) -> str:
    """In the language of this run."""
    return RESULTS.get(name, (name, name))[language() != "zh"]
