"""The vault: the data keys of every call, wrapped, in a file beside the ledger.

In: the ledger's path and the wrapping keys of the installation. Out: keys that seal and open what was said in a call;
and, once a key was destroyed, nobody opens it again, while the ledger verifies as before. Called by the switchboard at
a call's start, by `LedgerView`, by erasure and retention.

A key is durable when `make` returns, so that no record is ever sealed with a key that a crash could take away.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from voicewarden.ledger.sealing import DATA_KEY_BYTES, AudioKey, WordsKey
from voicewarden.ledger.vaultfile import KeptHold, VaultFile, WrappedKey, vault_path
from voicewarden.ledger.wrapping import WrappingKeys, find_wrapping_keys, unwrap, wrap
from voicewarden.model.content import CLASSES, ContentClass
from voicewarden.model.error import ContentSealed, LedgerError

_FOLDER: Final = "keys_dir"


class CallKeys(NamedTuple):
    """The keys of one call, ready for use."""

    words: WordsKey
    audio: AudioKey


class Vault:
    """The keys of one ledger; safe to use from several threads."""

    def __init__(self, file: VaultFile, wrapping: WrappingKeys) -> None:
        self._file = file
        self._wrapping = dict(wrapping)

    @classmethod
    def open(cls, ledger: Path, wrapping: WrappingKeys, folder: Path, *, vfs: str = "") -> "Vault":
        """Open for sealing, making the file; data keys under an older wrapping key are wrapped anew. `folder` is where
        the wrapping keys lie, which readers are told. Raises LedgerError when a wrapping key is gone.
        """
        file = VaultFile(vault_path(ledger), create=True, vfs=vfs)
        lost = file.wrappers() - set(wrapping)
        if lost:
            file.close()
            named = ", ".join(sorted(lost))
            raise LedgerError(
                f"{file.path}: words of earlier calls lie under the key content-wrapping {named}, which is not in "
                f"{folder}; restore it from the backup of the keys"
            )
        file.note(_FOLDER, os.path.relpath(folder, ledger.parent))
        vault = cls(file, wrapping)
        vault.rewrap()
        return vault

    @classmethod
    def find(cls, ledger: Path, folder: Path | None = None) -> "Vault | None":
        """Open for reading, with the wrapping keys of `folder`, of VOICEWARDEN_KEYS_DIR or of the folder that the file
        names; None where nothing was sealed.
        """
        path = vault_path(ledger)
        if not path.is_file():
            return None
        file = VaultFile(path, create=False)
        named = file.meta(_FOLDER)
        return cls(file, find_wrapping_keys(folder, ledger.parent / named if named else None))

    @property
    def path(self) -> Path:
        """The file of keys."""
        return self._file.path

    def make(self, stream: str, unix_ms: int) -> CallKeys:
        """Make the keys of a new stream; they are durable when this returns. Blocks on the disk. Raises LedgerError for
        a stream that has keys or had some.
        """
        by, under = next(iter(self._wrapping.items()))
        made: dict[ContentClass, bytes] = {content: secrets.token_bytes(DATA_KEY_BYTES) for content in CLASSES}
        self._file.add(
            [WrappedKey(stream, name, unix_ms, by, wrap(key, under, stream, name)) for name, key in made.items()]
        )
        return CallKeys(WordsKey(stream, made["words"]), AudioKey(stream, made["audio"]))

    def words(self, stream: str) -> WordsKey | None:
        """The key of what was said in a stream; None when it was destroyed, or its wrapping key is not here."""
        key = self._data_key(stream, "words")
        return None if key is None else WordsKey(stream, key)

    def audio(self, stream: str) -> AudioKey | None:
        """The key of a stream's recordings; None like `words`."""
        key = self._data_key(stream, "audio")
        return None if key is None else AudioKey(stream, key)

    def disclose(self, stream: str) -> bytes:
        """The data key of what was said in a stream, for somebody who shall read it all. Raises ContentSealed."""
        key = self._data_key(stream, "words")
        if key is None:
            raise ContentSealed(f"no key here opens what was said in {stream}; it was destroyed, or is kept elsewhere")
        return key

    def has(self, stream: str, content: ContentClass) -> bool:
        """Whether a key is kept, wrapped, whoever may open it."""
        return self._file.get(stream, content) is not None

    def is_destroyed(self, stream: str, content: ContentClass) -> bool:
        """Whether a key was destroyed."""
        return self._file.is_destroyed(stream, content)

    def made_before(self, unix_ms: int, content: ContentClass) -> list[str]:
        """Streams whose key of this class is older, the oldest first."""
        return [key.stream for key in self._file.all(content=content, made_before_unix_ms=unix_ms)]

    def destroy(self, streams: Sequence[str], classes: Sequence[ContentClass], unix_ms: int) -> int:
        """Destroy keys for good; returns how many there were. Raises LedgerError, none destroyed, if one is held."""
        return self._file.destroy([(stream, content) for stream in streams for content in classes], unix_ms)

    def hold(self, stream: str, who: str, reason: str, unix_ms: int) -> None:
        """Nobody destroys the keys of this stream until the hold is lifted."""
        self._file.hold(stream, who, reason, unix_ms)

    def lift(self, stream: str, who: str, reason: str, unix_ms: int) -> bool:
        """Lift every hold on a stream; False where there was none."""
        return self._file.lift(stream, who, reason, unix_ms)

    def holds(self, stream: str = "") -> list[KeptHold]:
        """The holds that stand, of one stream or of all."""
        return self._file.holds(stream)

    def rewrap(self) -> int:
        """Wrap data keys that lie under an older wrapping key under the newest; returns how many those were."""
        by, under = next(iter(self._wrapping.items()), ("", b""))
        old = [key for key in self._file.all() if key.wrapped_by != by] if self._file.wrappers() - {by} else []
        made = []
        for key in old:
            data = unwrap(key.wrapped, self._wrapping[key.wrapped_by], key.stream, key.content)
            if data is None:
                raise LedgerError(f"{self.path}: a key of {key.stream} was altered; restore the file from its backup")
            made.append(key._replace(wrapped_by=by, wrapped=wrap(data, under, key.stream, key.content)))
        self._file.replace(made)
        return len(made)

    def close(self) -> None:
        """Release the file; closing twice is no error."""
        self._file.close()

    def _data_key(self, stream: str, content: ContentClass) -> bytes | None:
        # Asked for each time: what another process has destroyed must not live on in this one.
        kept = self._file.get(stream, content)
        under = None if kept is None else self._wrapping.get(kept.wrapped_by)
        return None if kept is None or under is None else unwrap(kept.wrapped, under, stream, content)
