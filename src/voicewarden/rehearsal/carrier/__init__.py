"""A carrier to practise with: it behaves like Twilio towards the product and like people towards the phone.

`Carrier` is the entry; `Person` (or anything shaped like `Answerer`) is who picks up; a `SimulatedCall` tells what
happened; `Line` is what a caller script holds.
"""

from voicewarden.rehearsal.carrier.answerer import Answerer, Outcome, Person
from voicewarden.rehearsal.carrier.call import CallerScriptError, CallStatus, DialedLeg, Entry, SimulatedCall
from voicewarden.rehearsal.carrier.carrier import Carrier
from voicewarden.rehearsal.carrier.frame import Pcm
from voicewarden.rehearsal.carrier.impairment import Impairment
from voicewarden.rehearsal.carrier.line import FrameSource, Line, LineClosed, Span
from voicewarden.rehearsal.carrier.playout import Hole
from voicewarden.rehearsal.carrier.resources import SentMessage
from voicewarden.rehearsal.carrier.session import CallOrder

__all__ = [
    "Answerer",
    "CallOrder",
    "CallStatus",
    "CallerScriptError",
    "Carrier",
    "DialedLeg",
    "Entry",
    "FrameSource",
    "Hole",
    "Impairment",
    "Line",
    "LineClosed",
    "Outcome",
    "Pcm",
    "Person",
    "SentMessage",
    "SimulatedCall",
    "Span",
]
