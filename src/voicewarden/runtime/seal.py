"""Seals of grants: keyed BLAKE2b over the canonical grant, known to this process alone.

The seal is never recorded and never compared in replay, so whoever replays a call can't forge a grant. It guards
against altered and foreign grants, not against other code in the same process.
"""

import hashlib
import hmac

from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.decision import Grant

SEAL_BYTES = 32


class Sealer:
    """Seals and checks grants with one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != SEAL_BYTES:
            raise ValueError(f"a seal key has {SEAL_BYTES} bytes, not {len(key)}; make one with `voicewarden keys`")
        self._key = key

    def seal(self, grant: Grant) -> bytes:
        """The seal of a grant."""
        return hashlib.blake2b(canonical_bytes(grant), key=self._key, digest_size=SEAL_BYTES).digest()

    def holds(self, grant: Grant, seal: bytes) -> bool:
        """Whether the seal belongs to exactly this grant; constant-time."""
        return hmac.compare_digest(self.seal(grant), seal)
