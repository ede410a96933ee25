"""The log's side of c2sp.org/tlog-witness: a signed checkpoint goes to a witness, its co-signature comes back.

In: a checkpoint and a way to prove that it continues an older one. Out: a co-signature that was checked, `WitnessAway`
when nobody answers, or `LedgerBroken` when the witness knows another history. Called by `cosigning.py` alone.
"""

import http.client
import urllib.parse
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from voicewarden.ledger.checkpoint import SignedCheckpoint
from voicewarden.ledger.note import COSIGNATURE, Note, Signature, VerifierKey, encode64, parse_signature
from voicewarden.model.error import LedgerBroken, LedgerError

_TIMEOUT_S: Final = 5.0
_LARGEST_ANSWER: Final = 65_536
Prove = Callable[[int], Sequence[bytes]]
"""Makes the consistency proof from so many records to the checkpoint."""


class WitnessAway(LedgerError):
    """The witness does not answer, or not now; it is asked again later."""


class WitnessClient:
    """One witness as one log sees it; used by one thread."""

    def __init__(self, url: str, key: VerifierKey, *, timeout_s: float = _TIMEOUT_S) -> None:
        if key.algorithm != COSIGNATURE:
            raise LedgerError("this is not the key of a witness; `voicewarden ledger witness` prints it when it starts")
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise LedgerError("the address of a witness looks like http://127.0.0.1:8767")
        self.key = key
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._timeout_s = timeout_s
        self._known = 0

    def cosign(self, signed: SignedCheckpoint, prove: Prove) -> Signature:
        """Have a checkpoint co-signed. Raises WitnessAway, or LedgerBroken for a history that is not ours."""
        size = signed.checkpoint.size
        answer = self._submit(signed, min(self._known, size), prove)
        if answer.status == 409:
            self._known = _size_of(answer)
            if self._known > size:
                raise LedgerBroken(
                    f"the witness {self.key.name} has signed for {self._known} records of this log, which has {size} "
                    "now: records were cut off; run `voicewarden ledger verify` with the witness's store"
                )
            answer = self._submit(signed, self._known, prove)
        if answer.status in (403, 404, 422):
            raise LedgerBroken(f"the witness {self.key.name} does not sign: {answer.told or 'no reason given'}")
        if answer.status != 200:
            raise WitnessAway(f"the witness {self.key.name} answered {answer.status}; it is asked again later")
        found = self._own(signed, answer.text)
        self._known = size
        return found

    def _own(self, signed: SignedCheckpoint, text: str) -> Signature:
        for line in text.split("\n"):
            signature = parse_signature(line)
            if Note(signed.note.text, (signature,)).signed_by([self.key]):
                return signature
        raise LedgerBroken(f"the answer of the witness {self.key.name} has no signature of its key; compare its key")

    def _submit(self, signed: SignedCheckpoint, old: int, prove: Prove) -> "_Answer":
        path = prove(old) if old else ()
        return self._post("\n".join([f"old {old}", *map(encode64, path), "", signed.note.raw]).encode())

    def _post(self, body: bytes) -> "_Answer":
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout_s)
        try:
            connection.request("POST", f"{self._prefix}/add-checkpoint", body=body)
            answer = connection.getresponse()
            return _Answer(answer.status, answer.read(_LARGEST_ANSWER).decode("utf-8", "replace"))
        except (OSError, http.client.HTTPException) as error:
            raise WitnessAway(
                f"the witness {self.key.name} does not answer ({type(error).__name__}); checkpoints go on without it"
            ) from None
        finally:
            connection.close()


class _Answer(NamedTuple):
    status: int
    text: str

    @property
    def told(self) -> str:
        """The first line, if it can be shown."""
        return "".join(filter(str.isprintable, self.text.partition("\n")[0]))[:200]


def _size_of(answer: _Answer) -> int:
    text = answer.text.removesuffix("\n")
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise WitnessAway("the witness answered a conflict without its size; it is asked again later")
    return int(text)
