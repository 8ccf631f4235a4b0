"""``python -m tests.security.cases --write docs``: meets every wrong peer and writes the table."""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from drivers.peer import Refusal, Why
from tests.security import mosquitto, wrong_opcua, wrong_tls

BEGIN = "<!-- wrong peers: python -m tests.security.cases --write docs -->"
END = "<!-- end of wrong peers -->"
HEAD = (
    "| 协议 protocol | 情形 case | 应为 expected | 所见 seen | 试验 test |\n|---|---|---|---|---|\n"
)
ZH = {
    "unknown authority": "未知机构签发",
    "forged in the name of ours": "冒用本厂机构名称伪造",
    "self-signed": "自签名",
    "expired": "已过期",
    "not yet valid": "尚未生效",
    "wrong host": "主机不符",
    "certificate of a client": "客户端用途的证书",
    "weak key": "弱密钥",
    "TLS 1.0": "TLS 1.0",
    "TLS 1.1": "TLS 1.1",
    "TLS 1.2": "TLS 1.2（要求 1.3 时）",
    "no TLS": "不使用 TLS",
    "revoked": "已吊销",
    "no revocation list": "没有吊销列表",
    "outdated revocation list": "吊销列表过期",
    "wrong ApplicationUri": "ApplicationUri 不符",
    "only None and Sign offered": "只提供 None 与 Sign",
    "only Basic256 offered": "只提供 Basic256",
    "another than the pinned": "不是固定的证书",
    "a known certificate without its key": "有已知证书而无其私钥",
}
PLACE = "tests/security"
TLS = f"{PLACE}/test_wrong_tls.py::test_refused_before_anything_is_said"
OPCUA = f"{PLACE}/test_wrong_opcua.py::test_refused_before_a_session"
BROKER = f"{PLACE}/test_right_tls.py::test_a_real_broker_that_is_the_wrong_one_hears_nothing"


@dataclass(frozen=True)
class Row:
    """One peer that was met. ``silent``: nothing but a handshake reached it."""

    protocol: str
    kind: str
    expected: Why | None
    refusal: Refusal | None
    silent: bool
    test: str

    @property
    def good(self) -> bool:
        reason = self.refusal.reason if self.refusal else None
        return self.silent and reason is self.expected

    def text(self) -> str:
        expected = f"`{self.expected}`" if self.expected else "握手失败 handshake fails"
        seen = f"`{self.refusal.reason}`" if self.refusal else "握手失败 handshake failed"
        silent = (
            "未发送任何内容 nothing sent" if self.silent else "**发送了内容 something was sent**"
        )
        case = f"{ZH[self.kind]}<br>{self.kind}"
        mark = "" if self.good else "**不符 not as expected** "
        cells = (self.protocol, case, expected, f"{mark}{seen}, {silent}", f"`{self.test}`")
        return "| " + " | ".join(cells) + " |\n"


async def meet_all(folder: Path) -> list[Row]:
    """Every pair, one after the other."""
    rows = []
    made = wrong_tls.world(folder / "tls")
    for client, wrong in wrong_tls.pairs(made):
        met = await wrong_tls.meet(made, client, wrong)
        silent = wrong_tls.SECRET.encode() not in met.heard and (not wrong.shown or not met.heard)
        test = f"{TLS}[{wrong.name}-{client}]"
        rows.append(Row(client, wrong.name, wrong.reason, met.refusal, silent, test))
    for kind in mosquitto.CASES:
        wrong = made.wrong[kind]
        assert wrong.shown is not None
        (folder / kind).mkdir()
        with mosquitto.serving(folder / kind, wrong.shown, made.maker.path) as broker:
            refusal = await wrong_tls.by_mqtt(made, broker.port, dict(wrong.client))
            silent = "New client connected" not in broker.log.read_text("utf-8", "replace")
        rows.append(
            Row("MQTT, mosquitto", kind, wrong.reason, refusal, silent, f"{BROKER}[{kind}]")
        )
    async with wrong_opcua.world(folder / "opcua") as world:
        for shown in world.shown:
            refusal, error = await world.meet(shown)
            silent = error is not None and not world.running.users.asked and not world.sessions
            test = f"{OPCUA}[{shown.name}]"
            rows.append(Row("OPC UA", shown.name, shown.reason, refusal, silent, test))
    return rows


def collected() -> set[str]:
    """The names of the tests there are."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", PLACE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return set(done.stdout.splitlines())


def main() -> int:
    """0: all refused for the right reason; 1: not, or a row without its test."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.cases", description=__doc__)
    parser.add_argument("--write", type=Path, help="the folder of security.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        rows = asyncio.run(meet_all(Path(folder)))
    tests = collected()
    for row in rows:
        lacks = "" if row.test in tests else "  NO SUCH TEST"
        sys.stdout.write(f"{'good' if row.good else 'BAD '} {row.protocol}: {row.kind}{lacks}\n")
    if given.write:
        page = given.write / "security.md"
        before, _, rest = page.read_text("utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        table = HEAD + "".join(row.text() for row in rows)
        page.write_text(f"{before}{BEGIN}\n{table}{END}{after}", "utf-8")
    return int(not all(row.good and row.test in tests for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
