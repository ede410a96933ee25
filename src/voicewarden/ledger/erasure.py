"""Erasing what was said in a call: an order that two people sign, and the note that stays when it was carried out.

In: a call, a reason, signatures. Out: destroyed keys, deleted recordings and a note in the stream `control`; the
records themselves stay as they are written, so that every chain, proof and checkpoint holds. Called by `voicewarden
ledger erase` and `sign`. Before anything is destroyed:

1. the order is about this call as it stands: it is over, and ends with the record that the order names;
2. two people of those who may, with two different keys, signed exactly this order, not longer ago than a month;
3. no hold keeps the call;
4. the note is durable. A crash behind it leaves keys that the note says are gone: `finish_erasures` takes them away.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from voicewarden.ledger.blobs import blob_folder, delete_recording
from voicewarden.ledger.forgetting import CONTROL, ContentErased, Signed, forgotten, recordings_of
from voicewarden.ledger.note import decode64, encode64
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.treefile import TreeFile
from voicewarden.ledger.vault import Vault
from voicewarden.ledger.view import LedgerView
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.content import CLASSES, ContentClass
from voicewarden.model.error import LedgerError

ORDER_FORMAT: Final = "vw/erase/v1"
LONGEST_REASON: Final = 500
_DOMAIN: Final = b"vw/erase/v1\x00"
SIGNERS: Final = 2
"""So many different people have to sign."""
_VALID_MS: Final = 30 * 86_400_000


class EraseOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What two people sign: what is erased where, and why."""

    format: Literal["vw/erase/v1"] = ORDER_FORMAT
    origin: str
    """The name of the ledger's tree; empty where it has none."""
    call: str
    head: str
    """Hash of the call's last record, which stands for all before it."""
    classes: tuple[ContentClass, ...]
    reason: str
    unix_ms: int
    signatures: tuple[Signed, ...] = ()

    def signed_bytes(self, person: str, unix_ms: int) -> bytes:
        """What a person signs."""
        said = {
            "call": self.call, "classes": self.classes, "head": self.head, "origin": self.origin,
            "reason": self.reason, "unix_ms": self.unix_ms, "person": person, "signed_unix_ms": unix_ms,
        }  # fmt: skip
        return _DOMAIN + canonical_bytes(said)

    def document(self) -> bytes:
        """The order as it is handed around."""
        return msgspec.json.format(canonical_bytes(self), indent=2) + b"\n"


class Erased(NamedTuple):
    """What was done."""

    call: str
    people: tuple[str, ...]
    keys: int
    recordings: int


def parse_order(document: bytes) -> EraseOrder:
    """Read an order; raises LedgerError when it is none."""
    try:
        return msgspec.json.decode(document, type=EraseOrder)
    except msgspec.MsgspecError as error:
        raise LedgerError("this is no order to erase; `voicewarden ledger erase CALL` writes one") from error


def draft_order(
    ledger: LedgerView, call: str, reason: str, unix_ms: int, classes: Sequence[ContentClass] = CLASSES
) -> EraseOrder:
    """An order that nobody has signed. Raises LedgerError where there is nothing to erase."""
    told = " ".join(reason.split())
    if not 3 <= len(told) <= LONGEST_REASON:
        raise LedgerError(f"an erasure needs a reason of 3 to {LONGEST_REASON} characters that quotes nobody")
    vault = _vault_of(ledger)
    stream = f"call:{call}"
    records, head = ledger.head(stream)
    if not records:
        raise LedgerError(f"{ledger.path} holds no call of that id; `voicewarden qa` lists those that it has")
    if not any(vault.has(stream, content) for content in classes):
        raise LedgerError(f"nothing of call {call} is left to erase: it was erased, or was never sealed")
    return EraseOrder(
        origin=_origin(ledger), call=call, head=head, classes=tuple(sorted(set(classes), reverse=True)), reason=told,
        unix_ms=unix_ms,
    )  # fmt: skip


def sign_order(order: EraseOrder, person: str, key: Ed25519PrivateKey, unix_ms: int) -> EraseOrder:
    """The order with a person's signature; a new one takes the place of the same person's older one."""
    made = Signed(person, unix_ms, encode64(key.sign(order.signed_bytes(person, unix_ms))))
    others = tuple(item for item in order.signatures if item.person != person)
    return msgspec.structs.replace(order, signatures=(*others, made))


def signers(order: EraseOrder, people: Mapping[str, bytes], unix_ms: int) -> tuple[str, ...]:
    """Who signed exactly this order in time, of those who may; one key counts once, whatever names it has."""
    valid: dict[bytes, str] = {}
    for item in order.signatures:
        public = people.get(item.person)
        in_time = order.unix_ms <= item.unix_ms <= unix_ms + 60_000 and unix_ms - order.unix_ms <= _VALID_MS
        if public is not None and in_time and _holds(order, item, public):
            valid.setdefault(public, item.person)
    return tuple(sorted(set(valid.values())))


def erase(ledger: Ledger, order: EraseOrder, people: Mapping[str, bytes], unix_ms: int) -> Erased:
    """Carry an order out. Raises LedgerError, with nothing destroyed, when one of 1 to 4 does not hold. Blocks."""
    vault, stream = _vault_of(ledger), f"call:{order.call}"
    if (order.origin, order.head) != (_origin(ledger), ledger.head(stream)[1]):  # 1
        raise LedgerError("this order is about another ledger, or the call has gone on since; write and sign a new one")
    who = signers(order, people, unix_ms)
    if len(who) < SIGNERS:  # 2
        found = ", ".join(who) or "nobody"
        raise LedgerError(
            f"two people of those who may erase have to sign this order within 30 days; so far {found} did: "
            "`voicewarden ledger sign` signs it"
        )
    if vault.holds(stream):  # 3
        raise LedgerError("a legal hold keeps this call; see `voicewarden ledger hold`, and lift it first")
    note = ContentErased(
        unix_ms=unix_ms, call=order.call, classes=order.classes, reason=order.reason, head=order.head,
        origin=order.origin, asked_unix_ms=order.unix_ms,
        signatures=tuple(item for item in order.signatures if item.person in who),
    )  # fmt: skip
    ledger.append(CONTROL, unix_ms, "note", canonical_bytes(note))
    ledger.flush()  # 4
    keys, recordings = destroy(ledger, vault, (order.call,), order.classes, unix_ms)
    return Erased(order.call, who, keys, recordings)


def destroy(
    ledger: LedgerView, vault: Vault, calls: Sequence[str], classes: Sequence[ContentClass], unix_ms: int
) -> tuple[int, int]:
    """Destroy keys and recordings of calls; returns how many of each there were. Raises LedgerError, with none
    destroyed, if one is held.
    """
    sounds = [name for call in calls for name in recordings_of(ledger, call)] if "audio" in classes else []
    keys = vault.destroy([f"call:{call}" for call in calls], classes, unix_ms)
    return keys, sum(delete_recording(blob_folder(ledger.path), name) for name in sounds)


def finish_erasures(ledger: LedgerView, unix_ms: int) -> int:
    """Destroy what a note says is destroyed and a crash has left; returns how many keys that were."""
    vault = ledger.vault
    if vault is None:
        return 0
    left = 0
    for call, classes in forgotten(ledger).items():
        stream = f"call:{call}"
        kept = [content for content in classes if vault.has(stream, content)]
        if kept and not vault.holds(stream):
            left += destroy(ledger, vault, (call,), kept, unix_ms)[0]
    return left


def _holds(order: EraseOrder, item: Signed, public: bytes) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(decode64(item.signature), order.signed_bytes(item.person, item.unix_ms))
    except (InvalidSignature, ValueError):
        return False
    return True


def _vault_of(ledger: LedgerView) -> Vault:
    vault = ledger.vault
    if vault is None:
        raise LedgerError(f"{ledger.path}: nothing in this ledger is sealed, so that no key can be destroyed")
    return vault


def _origin(ledger: LedgerView) -> str:
    tree = TreeFile.read(ledger.path)
    if tree is None:
        return ""
    with tree:
        return tree.origin
