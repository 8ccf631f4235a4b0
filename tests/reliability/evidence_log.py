"""The log of evidence (D2, D7, D9): forks, time stamps, other algorithms."""

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from agent.evidence.heads import HeadStore
from agent.evidence.keys import KeyEntry, KeyRing, read_history
from agent.evidence.messages import Message, SaidHead
from agent.evidence.note import Head, key_of, read_note
from agent.evidence.proof import check_proof, proof_text
from agent.evidence.rfc3161 import StampError
from agent.historian.stamps import DailyStamps, TimestampConfig, verify_day
from reports.package import verify as alone
from tests import servers
from tests.agent.ends import GATEWAY, PLANT, broker_at, events, until
from tests.agent.evidence_ends import edge_end, last_said, say, stored_head, witness_end
from tests.agent.stamp_authority import StampAuthority
from tests.reliability.cases import Outcome, Setting, case, need_program

OWNER = f"smelter/{PLANT}/{GATEWAY}"
DAY_S = 86_400
NOON = 1_790_000_000  # 2026-09-21 22:13:20 in UTC+8


# --- D2


@case(
    "D2",
    fault="a log of evidence with two heads of one size, or a shorter one",
    procedure="heads signed with the gateway's own key, over a real broker to a real witness: "
    "another root at the newest size, another root at an older size, and a true old head again; "
    "the heads that the witness keeps are read by the stand-alone verifier",
    mark="witness cosigns none of them; of each fork both heads are kept, of one size and both "
    "signed by the gateway's key; the true log goes on",
)
def forks(setting: Setting) -> Outcome:
    rounds = setting.size(cut=2, full=15)  # a witness keeps 32 forks of a log
    broker = servers.mosquitto(setting.folder).start()
    try:
        return asyncio.run(_forks(setting, broker.port, rounds))
    finally:
        broker.end()


async def _forks(setting: Setting, port: int, rounds: int) -> Outcome:
    chance, broker, refused = setting.chance, broker_at(port), 0
    async with (
        witness_end(setting.folder / "h", broker) as witness,
        edge_end(setting.folder / "g", broker) as edge,
    ):
        size, old = 0, b""
        for number in range(rounds):
            more = chance.randrange(2, 40)
            size += more
            await edge.add(more)
            await edge.until_cosigned(size)
            true = await last_said(port, "checkpoint")
            if old:
                await say(port, "checkpoint", old)
                await until(lambda n=number: witness.counts.older >= n, "the old head refused")  # type: ignore[misc]
            old = true
            ring = KeyRing.opened(setting.folder / "g" / "keys", OWNER, "ed25519")
            origin = f"{OWNER}/record/{edge.logs['record'].log_id}"
            for other in (size, chance.randrange(1, size)):
                lie = ring.signed(Head(origin, other, chance.randbytes(32)))
                said = Message(tuple(ring.notes), (SaidHead(lie, origin),)).payload()
                await say(port, "checkpoint", said)
                refused += 1
                await until(partial(_kept, setting.folder, refused), "the fork kept")
            assert edge.cosigned() == size
        await edge.add(1)
        await edge.until_cosigned(size + 1)
        cosigned = witness.counts.cosigned
    pairs = [_pair(path.parent) for path in _refused(setting.folder)]
    told = events(setting.folder / "h")
    figure = (
        f"{refused} forks and {rounds - 1} old heads said, {cosigned} heads cosigned, all of the "
        f"true log; {sum(pairs)} of {len(pairs)} forks kept with two heads of one size, both "
        f"signed by the gateway's key as the stand-alone verifier reads them"
    )
    return Outcome(all(pairs) and len(pairs) == refused and "kind=fork" in told, figure)


def _refused(folder: Path) -> list[Path]:
    return list((folder / "h" / "checkpoints").glob(f"{PLANT}/{GATEWAY}/record/*/forks/*/refused"))


def _kept(folder: Path, count: int) -> bool:
    return len(_refused(folder)) == count


def _pair(fork: Path) -> bool:
    """Two heads of one size and origin, other roots; the lie is signed by the gateway's key."""
    lie = alone.Note((fork / "refused").read_text("utf-8"))
    said = alone.Head(lie)
    own = alone.Head(_bare((fork / "own").read_text("utf-8")))
    known = alone.Note((fork / "known").read_text("utf-8"))
    history = alone.History(json.loads((fork / "keys.json").read_text("utf-8")))
    signed = [any(n.signed_by(said.origin, key) for key in history.keys) for n in (lie, known)]
    same = (own.origin, own.size) == (said.origin, said.size)
    return all(signed) and same and own.root != said.root and alone.Head(known).origin == own.origin


def _bare(text: str) -> alone.Note:
    """A head that the witness computed and nobody signed, as the verifier's reader wants it."""
    return (
        alone.Note(f"{text}\n\u2014 nobody {'A' * 8}\n") if "\n\n" not in text else alone.Note(text)
    )


# --- D7


@case(
    "D7",
    fault="time stamps: one byte broken, the authority out of reach",
    procedure="RFC 3161 over the daily roots by `openssl ts` behind HTTP, RSA and ECDSA; each byte "
    "of an answer flipped in turn, and of the stamped file (that one also for the stand-alone "
    "verifier: it asks openssl, which overlooks a change in what is not signed); the authority "
    "away for ten days of virtual time, then asked every 10 minutes, with restarts",
    mark="each true stamp verifies; each flipped byte fails; no day is lost in the queue, and all "
    "are stamped within 24 h of the authority's return",
)
def stamped(setting: Setting) -> Outcome:
    program = need_program("openssl", "openssl")
    told, good = [], True
    for kind in ("rsa", "ec"):
        authority = StampAuthority(setting.folder / kind / "tsa", kind)
        days, late_s = asyncio.run(_queue(setting.folder / kind, authority))
        folder = setting.folder / kind / "checkpoints" / "daily"
        true = sum(_holds(folder, each, authority.ca) for each in days)
        flips, missed, alone_flips, alone_missed = _flipped(setting, folder, days[0], authority)
        text, answer = (folder / f"{days[0]}.txt", folder / f"{days[0]}.tsr")
        plain = alone.stamped(program, text.read_bytes(), answer.read_bytes(), str(authority.ca))
        good &= true == len(days) == 10 and not missed and not alone_missed
        good &= plain and late_s <= DAY_S
        told.append(
            f"{kind}: {true} of {len(days)} queued days stamped {late_s / 3600:.1f} h after the "
            f"authority came back; {flips - missed} of {flips} flipped bytes found, by the "
            f"stand-alone verifier {alone_flips - alone_missed} of {alone_flips} of the file"
        )
    return Outcome(good, "; ".join(told))


async def _queue(folder: Path, authority: StampAuthority) -> tuple[list[str], float]:
    """Ten days without the authority; (days stamped, how late in virtual seconds)."""
    port, now = servers.free_port(), [float(NOON)]
    config = TimestampConfig(url=f"http://127.0.0.1:{port}/", ca=authority.ca, retry_s=600)
    ring = KeyRing.opened(folder / "keys", OWNER, "ed25519")
    daily = DailyStamps(folder / "checkpoints", config, lambda: now[0])
    for day in range(10):
        head = Head(f"{OWNER}/record/00112233445566ff", day + 1, bytes(31) + bytes((day + 1,)))
        store = HeadStore(folder / "checkpoints" / PLANT / GATEWAY / "record" / "00112233445566ff")
        store.keep(ring.signed(head), int(now[0]))
        now[0] += DAY_S
        daily = DailyStamps(folder / "checkpoints", config, lambda: now[0])  # a restart each day
        await daily.look()
    back_s = now[0]
    assert len(daily.waiting()) == 10, f"{daily.waiting()} in the queue"
    with authority.served(port):
        while daily.waiting() and now[0] < back_s + 2 * DAY_S:
            now[0] += 600
            await daily.look()
            daily = DailyStamps(folder / "checkpoints", config, lambda: now[0])
    return sorted(path.stem for path in daily.folder.glob("*.tsr")), now[0] - back_s


def _holds(folder: Path, day: str, ca: Path) -> bool:
    try:
        verify_day(folder, day, ca)
    except (StampError, ValueError):
        return False
    return True


def _flipped(
    setting: Setting, folder: Path, day: str, authority: StampAuthority
) -> tuple[int, int, int, int]:
    """(flips, of them believed; the same by the stand-alone verifier)."""
    program, chance = need_program("openssl", "openssl"), setting.chance
    flips = missed = alone_flips = alone_missed = 0
    texts = folder / f"{day}.txt"
    for path in (folder / f"{day}.tsr", texts):
        whole = path.read_bytes()
        for at in range(0, len(whole), 1 if setting.full or path == texts else 40):
            wrong = whole[:at] + bytes((whole[at] ^ 1 << chance.randrange(8),)) + whole[at + 1 :]
            path.write_bytes(wrong)
            flips += 1
            missed += _holds(folder, day, authority.ca)
            if path == texts:
                answer, alone_flips = (folder / f"{day}.tsr").read_bytes(), alone_flips + 1
                alone_missed += alone.stamped(program, wrong, answer, str(authority.ca))
        path.write_bytes(whole)
    return flips, missed, alone_flips, alone_missed


# --- D9


@case(
    "D9",
    fault="change of algorithm, or of keys in mid-log",
    procedure="a log over a real broker with a real witness: Ed25519 and SHA-256, a new Ed25519 "
    "key, SM2 with an SM3 tree, another SM2 key; proofs of random batches made before and after "
    "each change are kept as text and judged at the end by the product and by the functions of "
    "the stand-alone verifier; then each with one byte of the payload changed",
    mark="every old proof still verifies at the end; one verifier handles all; no changed payload "
    "does",
)
def algorithms(setting: Setting) -> Outcome:
    need_program("openssl", "openssl")
    broker = servers.mosquitto(setting.folder).start()
    try:
        return asyncio.run(_algorithms(setting, broker.port))
    finally:
        broker.end()


STAGES = (("ed25519", "sha256"), ("ed25519", "sha256"), ("sm2", "sm3"), ("sm2", "sm3"))


async def _algorithms(setting: Setting, port: int) -> Outcome:
    chance, broker, proofs = setting.chance, broker_at(port), list[tuple[str, bytes, str]]()
    each, size, log = setting.size(cut=20, full=300), 0, ""
    keys = setting.folder / "g" / "keys"
    async with witness_end(setting.folder / "h", broker, "sm2") as witness:
        for stage, (signature, name) in enumerate(STAGES):
            if stage:
                KeyRing.opened(keys, OWNER, STAGES[stage - 1][0]).rotated(signature)
            options = {"hash": name, "signature": signature}
            async with edge_end(setting.folder / "g", broker, **options) as edge:
                log = edge.logs["record"].log_id
                await edge.add(each)
                size += each
                await edge.until_cosigned(size)
                place = setting.folder / "g" / "record" / log
                tree = place / ("tree" if name == "sha256" else f"tree-{name}")
                note = read_note((tree / "cosigned").read_text("utf-8"))
                for _ in range(setting.size(cut=5, full=100)):
                    seq = chance.randrange(1, size + 1)
                    batch = await edge.logs["record"].read(seq)
                    assert batch is not None
                    made = proof_text(place, seq, note)
                    proofs.append((f"{signature}, {name}", batch.payload, made))
        assert stored_head(tree / "cosigned").size == size
        ring = KeyRing.opened(keys, OWNER, STAGES[-1][0])
        history, vkey = read_history(list(ring.notes)), witness.vkey
        there = alone.History(list(ring.notes))
    owner, _, public = key_of(vkey)
    believed = [KeyEntry(owner, 1, public, "", "-", "")]
    source = f"{PLANT}/{GATEWAY}/record/{log}"
    judge = alone.Key(public.algorithm, public.raw)
    ours = sum(_proved(made, source, data, history, believed) for _, data, made in proofs)
    theirs = sum(_alone(made, source, data, there, owner, judge) for _, data, made in proofs)
    wrong = sum(
        _proved(made, source, data + b" ", history, believed)
        + _alone(made, source, data + b" ", there, owner, judge)
        for _, data, made in proofs
    )
    figure = (
        f"{size} batches under {len(history)} keys and 2 hashes; of {len(proofs)} proofs {ours} "
        f"verify in the product, {theirs} in the stand-alone verifier; of changed payloads {wrong}"
    )
    return Outcome(ours == theirs == len(proofs) and not wrong, figure)


def _proved(
    made: str, source: str, payload: bytes, gateway: Sequence[KeyEntry], witness: list[KeyEntry]
) -> bool:
    try:
        check_proof(made, source, payload, gateway, witness, 2e10)
    except ValueError:
        return False
    return True


def _alone(
    made: str, source: str, payload: bytes, gateway: alone.History, owner: str, witness: alone.Key
) -> bool:
    """The same with nothing but the stand-alone verifier's functions."""
    top, _, whole = made.partition("\n\n")
    _, index, *path = top.split("\n")
    note = alone.Note(whole)
    head, at = alone.Head(note), int(index.split(" ")[1])
    leaf = alone.leaf_hash(head.hash, head.after, source, at + 1, payload)
    root = alone.root_by_path(head.hash, leaf, at, head.size, [alone.unb64(x) for x in path if x])
    signed = any(note.signed_by(head.origin, key) for key in gateway.keys)
    return signed and note.cosigned_by(owner, witness) > 0 and root == head.root
