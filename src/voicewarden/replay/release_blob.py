"""A release as a ledger holds it: bytes under their hash, made ready for the step under the names that they had.

In: a hash and the bytes stored under it. Out: a compiled release. Called by `exact`. Another version may have spelled
the same content in other bytes (fields left out, fields that are new since); recorded calls name those of their time.
"""

from hashlib import sha256

import msgspec

from voicewarden.kernel.release import Compiled, Release, decode_release
from voicewarden.model.error import LedgerError
from voicewarden.policy.compiler import CompiledPolicy
from voicewarden.replay.upcaster import UPCASTERS, Upcasters


class _Spelled(msgspec.Struct):
    """The parts of a release that records name by their hash, as they stand in its bytes."""

    policy: msgspec.Raw
    shadow: msgspec.Raw = msgspec.Raw(b"null")


def compile_blob(name: str, data: bytes, upcasters: Upcasters = UPCASTERS) -> Compiled:
    """Compile the release of this hash. Raises LedgerError for bytes of another hash and for a shape nobody knows."""
    if sha256(data).hexdigest() != name:
        raise LedgerError(f"release {name[:12]} does not have the content that its name promises")
    release = Compiled(_decoded(name, data, upcasters))
    if release.hash != name:
        spelled = msgspec.json.decode(data, type=_Spelled)
        release.hash = name
        _rename(release.policy, spelled.policy)
        if release.shadow is not None:
            _rename(release.shadow, spelled.shadow)
    return release


def _decoded(name: str, data: bytes, upcasters: Upcasters) -> Release:
    try:
        return decode_release(data)
    except msgspec.MsgspecError as error:
        today = upcasters.today("release", data)
        if today is not None:
            return decode_release(today)
        raise LedgerError(
            f"release {name[:12]} has a shape that this version does not know ({error}); "
            "use the program that wrote it, or enter an upcaster"
        ) from error


def _rename(policy: CompiledPolicy, spelled: msgspec.Raw) -> None:
    policy.hash = sha256(bytes(spelled)).hexdigest()
