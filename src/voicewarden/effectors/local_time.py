"""Resolved local times, as policies declare them: `2026-12-01T15:00`, optionally with a zone, `...[Europe/Berlin]`.

In: the text of an argument. Out: an aware moment, or None when there is no such time. Called by the calendar effectors.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from voicewarden.model.action import Value


def moment_of(text: Value | None, zone: ZoneInfo) -> datetime | None:
    """The moment that a local time names in `zone`, or in the zone it carries; None for a time that never comes."""
    if not isinstance(text, str):
        return None
    clock, _, named = text.partition("[")
    try:
        own = ZoneInfo(named.removesuffix("]")) if named else zone
        naive = datetime.fromisoformat(clock)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return None
    if naive.tzinfo is not None:
        return naive.astimezone(zone)
    local = naive.replace(tzinfo=own)
    # In the hour that a change of clocks leaves out, going through UTC lands somewhere else.
    if local.astimezone(UTC).astimezone(own).replace(tzinfo=None) != naive:
        return None
    return local.astimezone(zone)


def text_of(moment: datetime) -> str:
    """The local time of a moment, to the minute."""
    return moment.strftime("%Y-%m-%dT%H:%M")
