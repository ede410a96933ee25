"""Numbers that a caller keyed in, hidden: what a page shows has a dot for each digit.

In: the values of a call's records, in order. Out: the same with the digits of numbers replaced. A key is part of a
number when its step starts or ends the wait for the next one, or tells the model of the number; other keys stay. The
records are not touched: replay and proofs rest on them. Called by `entries`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from voicewarden.model.directive import CancelTimer, StartTimer, TellModel
from voicewarden.model.event import DtmfPressed, EventBase

DOT: Final = "\u2022"
_KEYPAD: Final = "keypad"


# Any: whatever a record may hold; all but keys and what is told of them passes through.
def hide_keyed(values: Sequence[Any]) -> Iterator[Any]:
    """Each value, with dots for the digits of a number."""
    for place, value in enumerate(values):
        if isinstance(value, DtmfPressed) and any(_is_of_number(item) for item in _outputs(values, place)):
            yield msgspec.structs.replace(value, digit=DOT)
        elif isinstance(value, TellModel) and value.action == _KEYPAD:
            hidden = {name: DOT * len(str(told)) for name, told in value.result.items()}
            yield msgspec.structs.replace(value, result=hidden)
        else:
            yield value


def _outputs(values: Sequence[Any], place: int) -> Iterator[Any]:
    """What the step of the event at this place led to."""
    for value in values[place + 1 :]:
        if isinstance(value, EventBase):
            return
        yield value


def _is_of_number(value: Any) -> bool:
    if isinstance(value, TellModel):
        return value.action == _KEYPAD
    return isinstance(value, StartTimer | CancelTimer) and value.timer == _KEYPAD
