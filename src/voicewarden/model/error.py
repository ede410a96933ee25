"""The one tree of errors. A refusal of the gate is a value (`Decision`), never one of these.

    VoicewardenError
    ├── ConfigError            a file or setting is wrong; carries file, line, field, found, accepted
    ├── LedgerError            a record can't be written or read
    │   ├── LedgerFull         the queue or the disk is full; the call must end well
    │   ├── LedgerBroken       what is stored does not verify
    │   └── ContentSealed      what was said can't be read: its key is not here, or was destroyed
    ├── GrantRefused           an effector was handed a grant that is spent, altered, expired or out of date
    ├── MissingPart            an optional part is not installed; the text names the extra
    ├── ModelFailed            the language model gave no usable answer in time
    ├── SpeechFailed           the text could not be turned into sound
    ├── TranscriberFailed      the sound could not be turned into text
    │   └── RecordingRefused   a recording is none that can be heard side by side
    └── CarrierFailed          the telephone carrier refused or did not answer

Every text says what happened, what was expected and what to do next, and holds nothing that a caller said.
"""


class VoicewardenError(Exception):
    """Anything that voicewarden raises on purpose."""


class ConfigError(VoicewardenError):
    """A configuration file or setting that can't be accepted."""

    def __init__(self, what: str, *, file: str = "", line: int = 0, field: str = "", accepted: str = "") -> None:
        where = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        named = f"{field}: " if field else ""
        wanted = f" (accepted: {accepted})" if accepted else ""
        super().__init__(f"{where}{named}{what}{wanted}")
        self.what = what
        self.file = file
        self.line = line
        self.field = field
        self.accepted = accepted


class LedgerError(VoicewardenError):
    """A record can't be written or read."""


class LedgerFull(LedgerError):
    """The ledger's queue or disk is full: nothing may act until there is room."""


class LedgerBroken(LedgerError):
    """What is stored does not verify."""


class ContentSealed(LedgerError):
    """What was said is sealed, and its key is not here or was destroyed."""


class GrantRefused(VoicewardenError):
    """A grant that must not be spent: spent before, altered, expired, out of date or of another call."""


class MissingPart(VoicewardenError):
    """An optional part is not installed."""


class ModelFailed(VoicewardenError):
    """The language model gave no usable answer in time."""


class SpeechFailed(VoicewardenError):
    """A text could not be turned into sound."""


class TranscriberFailed(VoicewardenError):
    """Sound could not be turned into text."""


class CarrierFailed(VoicewardenError):
    """The telephone carrier refused a request or did not answer."""
