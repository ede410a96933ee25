"""Whether a sentence asks for something that people say with pauses: a number, a name, an address.

In: a sentence of the agent. Out: a yes or no; the kernel then lets longer pauses pass before it takes the turn for
over.
"""

from typing import Final

from voicewarden.reading.text import tokens

_SLOW: Final = frozenset(
    {"number", "name", "spell", "address", "email", "postcode", "code", "date", "birth", "digits", "reference"}
)
_ASKING: Final = frozenset({"what", "whats", "which", "your", "tell", "give", "spell", "could", "can", "may"})


def asks_for_spelling(sentence: str) -> bool:
    """True when the answer is likely to be spelled out or read from something."""
    if not sentence.rstrip().endswith("?"):
        return False
    words = set(tokens(sentence))
    return bool(words & _SLOW) and bool(words & _ASKING)
