"""Answers questions from approved records: the effector of `look_up`, which changes nothing.

In: a grant over the name of a look-up. Out: *done* with the release's answer to it.
"""

from collections.abc import Mapping

from voicewarden.effectors.act import act
from voicewarden.model.action import Arguments, Value
from voicewarden.model.ports import Receipt, Spending


class LookUp:
    """Reads the look-ups of a release; implements `model.ports.Effector`."""

    def __init__(self, lookups: Mapping[str, Mapping[str, Value]]) -> None:
        self._lookups = lookups

    async def spend(self, spending: Spending) -> Receipt:
        """Look up what was granted."""

        async def look(args: Arguments) -> Receipt:
            found = self._lookups.get(str(args.get("what", "")))
            return Receipt("refused", {"invalid": "what"}) if found is None else Receipt("done", dict(found))

        return await act(spending, look)
