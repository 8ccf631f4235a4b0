"""Good bytes made bad: bits flipped, parts cut, doubled, moved, and pieces of the format put in."""

import random
from collections.abc import Sequence


def mutated(data: bytes, pieces: Sequence[bytes], chance: random.Random, most: int = 6) -> bytes:
    """``data`` with up to ``most`` changes; sometimes none."""
    made = bytearray(data)
    for _ in range(chance.randrange(most + 1)):
        at = chance.randrange(len(made) + 1)
        kind = chance.randrange(7)
        if kind == 0:
            made[at:at] = chance.choice(pieces)
        elif kind == 1:
            del made[at : at + chance.randrange(1, 20)]
        elif kind == 2:
            del made[at:]
        elif kind == 3:
            made[at:at] = made[max(at - chance.randrange(1, 40), 0) : at]
        elif at < len(made):
            made[at] = chance.randrange(256) if kind == 4 else made[at] ^ 1 << chance.randrange(8)
    return bytes(made)
