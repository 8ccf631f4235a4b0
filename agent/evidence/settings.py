"""``[evidence]`` of gateway and historian: algorithms by name, how often a head is signed."""

import subprocess
from typing import Literal

from pydantic import Field, field_validator

from agent.evidence.signing import PrivateKey
from agent.evidence.tree import UnavailableError, hash_named
from drivers.config import Strict


class SigningConfig(Strict):
    """``[evidence]`` of a historian."""

    signature: Literal["ed25519", "sm2"] = "ed25519"  # of the next key; a ring keeps what it has

    @field_validator("signature")
    @classmethod
    def _signs_here(cls, name: str) -> str:
        if name != "ed25519":
            try:
                PrivateKey.made(name)
            except (UnavailableError, subprocess.SubprocessError, OSError) as error:
                raise ValueError(str(error)) from None
        return name


class EvidenceConfig(SigningConfig):
    """``[evidence]`` of a gateway."""

    hash: Literal["sha256", "sm3"] = "sha256"  # of the tree; a log that went over to sm3 stays so
    checkpoint_s: float = Field(default=60.0, ge=0.1, le=3600)

    @field_validator("hash")
    @classmethod
    def _hashes_here(cls, name: str) -> str:
        try:
            hash_named(name)
        except UnavailableError as error:
            raise ValueError(str(error)) from None
        return name
