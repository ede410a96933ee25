"""From a telephone number to a name that does not give the number away.

In: a number as somebody wrote or dialled it. Out: its E.164 form, or a keyed hash of that. Called by `Contacts` and,
for dialling, by whoever holds a number.
"""

import hashlib
import hmac
from typing import Final

import phonenumbers

from voicewarden.model.error import ConfigError

_SHORTEST_PEPPER_BYTES: Final = 16


def e164(number: str, default_region: str) -> str:
    """The one international spelling of a number; raises ConfigError, which never quotes the number."""
    try:
        parsed = phonenumbers.parse(number, default_region)
    except phonenumbers.NumberParseException:
        raise _refused(default_region) from None
    # Possible, not valid: numbering plans change, and an opt-out must not fail over a range that our tables don't know.
    if not phonenumbers.is_possible_number(parsed):
        raise _refused(default_region)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def keyed_hash(number: str, pepper: bytes) -> str:
    """HMAC-SHA256 of an E.164 number: without the pepper all numbers of a country are hashed in minutes."""
    return hmac.new(pepper, number.encode("ascii"), hashlib.sha256).hexdigest()


def check_pepper(pepper: bytes) -> None:
    """Raise ConfigError for a pepper that could be guessed."""
    if len(pepper) < _SHORTEST_PEPPER_BYTES:
        raise ConfigError(
            f"the contact pepper has {len(pepper)} bytes, which could be guessed",
            field="pepper",
            accepted=f"{_SHORTEST_PEPPER_BYTES} bytes or more; `voicewarden keys` makes one",
        )


def _refused(region: str) -> ConfigError:
    return ConfigError(
        "this is no telephone number",
        field="number",
        accepted=f"an international number such as +14155550123, or a national one of {region}",
    )
