"""The effectors of a deployment: which stands behind which action.

In: a release, a folder for what is kept, a carrier. Out: a mapping from action to effector, made once a call.
"""

from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from voicewarden.config.catalogue_document import CatalogueFile
from voicewarden.effectors.calendar import Booking, Hours
from voicewarden.effectors.calendar_store import CalendarStore
from voicewarden.effectors.callback import Callback
from voicewarden.effectors.commitment import Commitment
from voicewarden.effectors.dial import Dial
from voicewarden.effectors.look_up import LookUp
from voicewarden.effectors.message import Message
from voicewarden.effectors.transfer import Transfer
from voicewarden.effectors.voicemail import Voicemail
from voicewarden.effectors.wiring import Effectors
from voicewarden.kernel.release import Release
from voicewarden.model.ports import Carrier, Effector, Playout

_APPOINTMENT_MINUTES: Final = 30
_MESSAGE: Final = "message."


def hours_of(catalogue: Path, zone: ZoneInfo) -> Hours | None:
    """The opening hours of a catalogue file, None when it has none."""
    entry = CatalogueFile(catalogue).document.appointments
    if entry is None:
        return None
    return Hours(
        zone=zone, minutes=dict(entry.minutes), opens=time.fromisoformat(entry.opens),
        closes=time.fromisoformat(entry.closes), days=entry.day_numbers(), step_minutes=entry.step_minutes,
    )  # fmt: skip


class _Mute:
    """A voice for the check alone."""

    async def play(self, text: str) -> bool:
        """Nothing is played."""
        return False


class Outfit:
    """What every call's effectors are made of."""

    def __init__(
        self, release: Release, *, var_dir: Path, zone: ZoneInfo, carrier: Carrier, calendar_dir: Path | None = None,
        number_of: Callable[[str], str | None], hours: Hours | None = None,
        earliest: Callable[[], datetime] | None = None,
    ) -> None:  # fmt: skip
        """`hours` says when appointments can be had, `earliest` from which moment on; None allows the past, too."""
        self._release = release
        self._store = CalendarStore(calendar_dir or var_dir / "calendar")
        self._commitments = var_dir / "commitments.jsonl"
        self._zone = zone
        self._carrier = carrier
        self._number_of = number_of
        services = release.catalogue.get("services", {})
        self._hours = hours or Hours(zone=zone, minutes=dict.fromkeys(services, _APPOINTMENT_MINUTES))
        self._earliest = earliest

    def check(self) -> None:
        """Raise ConfigError when the policy names an action that nobody here can carry out."""
        Effectors(self.effectors(_Mute())).check(self._release.policy.actions)

    def effectors(self, playout: Playout) -> dict[str, Effector]:
        """The effectors of one call; `playout` is its voice."""
        release, carrier = self._release, self._carrier
        texts = {
            name: release.lines[_MESSAGE + name]
            for name in release.catalogue.get("templates", {})
            if _MESSAGE + name in release.lines
        }
        slots = {value: value for value in release.catalogue.get("callback_slots", {})}
        return {
            "place_call": Dial(carrier, self._number_of),
            "transfer": Transfer(carrier, release.destinations),
            "book": Booking(self._store, self._hours, earliest=self._earliest),
            "schedule_callback": Callback(self._store, slots, self._zone),
            "send_message": Message(carrier, texts),
            "look_up": LookUp(release.lookups),
            "advance_commitment": Commitment(self._commitments),
            "leave_voicemail": Voicemail(lambda _: playout, release.lines["voicemail.message"]),
        }
