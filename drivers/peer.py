"""
A peer that is not who it should be: why it is refused, in both languages, and told without a flood.

What is refused here is refused before anything but the handshake was sent: no name, no password,
no token, no value.
"""

from dataclasses import dataclass
from enum import StrEnum

from drivers.language import say
from drivers.model import RefusedError


class Why(StrEnum):
    """Why a peer is refused. The word is what stands in events and in the audit trail."""

    UNKNOWN = "unknown_authority"
    EXPIRED = "expired"
    NOT_YET = "not_yet_valid"
    REVOKED = "revoked"
    NO_LIST = "no_revocation_list"
    HOST = "wrong_host"
    URI = "wrong_uri"
    USE = "wrong_use"
    WEAK_KEY = "weak_key"
    BROKEN = "broken_certificate"
    NOT_PINNED = "not_pinned"
    VERSION = "old_version"
    POLICY = "weak_policy"
    NOT_TLS = "not_tls"


_TEXTS = {
    Why.UNKNOWN: ("证书不是由已信任的机构签发", "its certificate is of an authority unknown here"),
    Why.EXPIRED: ("证书已过期", "its certificate has expired"),
    Why.NOT_YET: (
        "证书尚未生效（请核对双方时钟）",
        "its certificate is not valid yet (clocks?)",
    ),
    Why.REVOKED: ("证书已被吊销", "its certificate is revoked"),
    Why.NO_LIST: (
        "没有可用的吊销列表（CRL），或列表已过期",
        "there is no revocation list of its authority, or an outdated one",
    ),
    Why.HOST: ("证书不属于该主机", "its certificate is of another host"),
    Why.URI: ("证书的 ApplicationUri 不符", "its certificate is of another ApplicationUri"),
    Why.USE: ("证书不是服务器用途", "its certificate is not one of a server"),
    Why.WEAK_KEY: (
        "证书的密钥或签名算法太弱",
        "its certificate has too weak a key or signature",
    ),
    Why.BROKEN: ("证书或其签名无效", "its certificate or a signature on it is broken"),
    Why.NOT_PINNED: ("证书不是固定的那一张", "it shows another certificate than the pinned one"),
    Why.VERSION: ("TLS 版本太旧", "its TLS version is too old"),
    Why.POLICY: (
        "对方不提供所要求的安全策略（不降级）",
        "it does not offer the security policy asked for (no downgrade)",
    ),
    Why.NOT_TLS: ("对方没有使用 TLS", "it does not speak TLS"),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Whom, why, what was expected and what was shown instead (empty: nothing was)."""

    address: str
    reason: Why
    expected: str = ""
    shown: str = ""

    def __str__(self) -> str:
        zh, en = _TEXTS[self.reason]
        more_zh = f"；应为：{self.expected}" if self.expected else ""
        more_zh += f"；对方出示：{self.shown}" if self.shown else ""
        more_en = f"; expected: {self.expected}" if self.expected else ""
        more_en += f"; shown: {self.shown}" if self.shown else ""
        return say(
            f"拒绝 {self.address}：{zh}（{self.reason}）{more_zh}",
            f"{self.address} refused: {en} ({self.reason}){more_en}",
        )


class PeerRefusedError(RefusedError):
    """The peer is not who it should be; nothing secret was sent."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def refusal_in(error: BaseException | None) -> Refusal | None:
    """The refusal an error stands for, or one of those that it came from or groups."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, PeerRefusedError):
            return error.refusal
        if isinstance(error, BaseExceptionGroup):
            inner = (refusal_in(each) for each in error.exceptions)
            return next((found for found in inner if found), None)
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


class RefusedPeers:
    """Counts refusals by subject and says which are news: one for each change of reason."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Why, str]] = {}
        self._unsaid: dict[str, int] = {}
        self.total = 0

    def take(self, subject: str, refusal: Refusal) -> int | None:
        """
        None for what was told before; else how often the last reason was met since it was told.

        The same reason with another certificate is news as well.
        """
        self.total += 1
        now = (refusal.reason, refusal.shown)
        if self._last.get(subject) == now:
            self._unsaid[subject] += 1
            return None
        self._last[subject] = now
        again, self._unsaid[subject] = self._unsaid.get(subject, 0), 0
        return again

    def accepted(self, subject: str) -> None:
        """It is the right peer again: the next refusal is news."""
        self._last.pop(subject, None)
        self._unsaid.pop(subject, None)
