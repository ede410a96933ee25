"""Seals of grants: keyed BLAKE2b over everything that a grant says, known to this process alone.

The seal is never recorded and never compared in replay, so whoever replays a call can't forge a grant. It guards
against altered and foreign grants, not against other code in the same process.
"""

import hashlib
import hmac
from typing import Final

import msgspec

from voicewarden.model.decision import Grant

SEAL_BYTES = 32
_ENCODE: Final = msgspec.msgpack.Encoder(order="deterministic").encode
"""One byte sequence a grant within this process, with every type told apart; seals never leave it."""
_PERSON: Final = b"vw/grant/v1"


def encoded(grant: Grant) -> bytes:
    """What a seal covers: every field of the grant."""
    return _ENCODE(grant)


class Sealer:
    """Seals and checks grants with one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != SEAL_BYTES:
            raise ValueError(f"a seal key has {SEAL_BYTES} bytes, not {len(key)}; make one with `voicewarden keys`")
        # Copying a state that has taken in the key costs less than taking it in again for every grant.
        self._keyed = hashlib.blake2b(key=key, digest_size=SEAL_BYTES, person=_PERSON)

    def seal(self, grant: Grant) -> bytes:
        """The seal of a grant."""
        return self._over(_ENCODE(grant))

    def holds(self, grant: Grant, seal: bytes) -> bool:
        """Whether the seal belongs to exactly this grant; constant-time."""
        return hmac.compare_digest(self._over(_ENCODE(grant)), seal)

    def holds_over(self, data: bytes, seal: bytes) -> bool:
        """The same for a grant that was `encoded` already."""
        return hmac.compare_digest(self._over(data), seal)

    def _over(self, data: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(data)
        return keyed.digest()
