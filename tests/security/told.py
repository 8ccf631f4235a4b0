"""A whole gateway among wrong peers: what stands in its record stream and in its audit trail."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from drivers.audit import AuditTrail
from tests.agent.ends import until
from tests.agent.small_plant import lines, running, write_table
from tests.security.listener import Listener
from tests.security.pki import Maker

CONFIG = """plant = "demo"
gateway = "gw1"
data_dir = "data"
[mqtt]
url = "mqtts://127.0.0.1:{broker}"
ca = "{ca}"
cert = "{cert}"
key = "{key}"
[log]
batch_interval_s = 0.1
[health]
listen = "127.0.0.1:0"
[[device]]
name = "plc"
driver = "modbus-tcp"
address = "127.0.0.1:{plc}"
interval_s = 0.1
timeout_s = 0.5
points = "points.csv"
[device.tls]
ca = "{ca}"
cert = "{cert}"
key = "{key}"
"""


@dataclass
class Told:
    """What was found, and what should have been and was not."""

    peers: int = 2
    events: int = 0
    acts: int = 0
    tries: int = 0
    missing: list[str] = field(default_factory=list)


async def what_a_gateway_tells(folder: Path, tries: int = 3) -> Told:
    """Broker and device show expired certificates; then the gateway is stopped."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test's own folder
    maker = Maker(folder / "ca", "site")
    old = maker.leaf("old", days=(-20, -0.01))
    ours = maker.leaf("demo-gw1", days=(-1, 12))
    write_table(folder)
    with Listener(old) as broker, Listener(old) as plc:
        files = {"ca": maker.path, "cert": ours.cert, "key": ours.key}
        path = folder / "gateway.toml"
        path.write_text(CONFIG.format(broker=broker.port, plc=plc.port, **files))
        async with running(path) as gateway:
            await until(lambda: broker.met >= tries and plc.met >= tries - 1, "tried", 60)
            metrics = gateway.exposition()
            await asyncio.sleep(0.5)
        met, heard = broker.met + plc.met, bytes(broker.heard + plc.heard)
    stored = await lines(folder, "record")
    events = [line for line in stored if "kind=peer_refused" in line]
    trail = AuditTrail(folder / "data" / "audit")
    acts = [each.act for each in trail.read() if each.act.what == "peer.refused"]
    told = Told(events=len(events), acts=len(acts), tries=met)
    wanted = {
        "an event about the broker": any("broker: " in e and "(expired)" in e for e in events),
        "an event about the device": any("plc: " in e and "(expired)" in e for e in events),
        "one event for each": len(events) == told.peers,
        "an act for each": len(acts) == told.peers and all(a.result == "refused" for a in acts),
        "the certificate that was shown": all("CN=old" in e for e in events),
        "silence towards them": heard == b"",
        "our own certificate that ends soon": any("kind=certificate_expiring" in e for e in stored),
        "its days": 'smelter_certificate_days_left{certificate="mqtt.cert"} 11' in metrics,
        "a count": f"smelter_peers_refused_total {met}"[:26] in metrics,
    }
    told.missing = [f"lacks {name}" for name, found in wanted.items() if not found]
    return told
