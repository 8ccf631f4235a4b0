"""Whether a batch is under a checkpoint that its gateway signed and the historian cosigned."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.language import say
from reports.package.tiles import Heads, SignedHead, TreeError
from reports.package.verify import Broken, History, Note, clock, leaf_hash
from reports.trace.originals import Original

Node = dict[str, Any]


@dataclass(frozen=True)
class Inclusion:
    """Proofs for the batches of one plant; the signatures of a checkpoint are judged once."""

    originals: Path
    plant: str
    _judged: dict[str, tuple[SignedHead | None, Node]] = field(default_factory=dict)

    def of(self, original: Original) -> Node:
        """``holds`` True or False; None where nothing was cosigned yet, and ``problem`` says so."""
        log = "/".join((self.plant, *original.log))
        if log not in self._judged:
            self._judged[log] = self._judge(log)
        head, node = self._judged[log]
        if head is None:
            return node
        said = head.head
        leaf = leaf_hash(said.hash, said.after, log, original.seq, original.payload)
        try:
            proved = head.proves(original.seq, leaf)
        except TreeError as error:
            return node | {"holds": None, "problem": str(error)}
        if proved:
            return node
        problem = say("批次不在检查点之下：被改动或换树", "the batch is not under the checkpoint")
        return node | {"holds": False, "problem": problem}

    def _judge(self, log: str) -> tuple[SignedHead | None, Node]:
        heads = Heads(self.originals)
        try:
            head = heads.of(log)
            if head is None:
                return None, {"holds": None, "problem": say("尚无会签的检查点", "not cosigned yet")}
            note = Note(head.text)
            gateway = _history(heads.keys("/".join(log.split("/")[:2])))
            witness = _history(heads.keys(""))
        except (Broken, TreeError, ValueError) as error:
            return None, {"holds": False, "problem": str(error)}
        signed = any(note.signed_by(head.head.origin, key) for key in gateway.keys)
        times = [note.cosigned_by(witness.owner, key) for key in witness.keys]
        node: Node = {
            "checkpoint": head.head.size,
            "signed": signed,
            "cosigned": clock(max(times)) if any(times) else None,
            "witness": witness.owner,
            "holds": True,
        }
        if signed and any(times):
            return head, node
        problem = say("检查点的签名或会签不成立", "a signature of the checkpoint does not hold")
        return None, node | {"holds": False, "problem": problem}


def _history(notes: bytes | None) -> History:
    return History(json.loads(notes) if notes else [])
