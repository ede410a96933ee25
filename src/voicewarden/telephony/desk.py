"""What the webhooks and the media socket share: the account, the switchboard, and how a line is built.

In: wired by `cli`. Out: passed to `app`. Holds no state of a call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voicewarden.model.action import Value
from voicewarden.pipeline.hearing import Transcribing
from voicewarden.pipeline.mouth import Cutting
from voicewarden.pipeline.settings import AgentVoice, LineSettings, ModelSettings
from voicewarden.pipeline.speech import Rendering
from voicewarden.runtime.switchboard import Switchboard
from voicewarden.telephony.account import Account
from voicewarden.telephony.carrier import TwilioCarrier
from voicewarden.telephony.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a call needs on this machine."""

    account: Account
    switchboard: Switchboard
    carrier: TwilioCarrier
    tokens: Tokens
    agents: Mapping[str, AgentVoice]
    model: ModelSettings
    speech: Rendering
    transcriber: Transcribing
    line: LineSettings
    new_cutter: Callable[[], Cutting]
    recordings: Path
    inbound_agent: str
    facts: Mapping[str, Value] = field(default_factory=dict)
    """Declared facts that hold for every call of this deployment."""
    apology: str = ""
    """What the carrier says when a transfer did not work."""
