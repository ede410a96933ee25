"""Guarded real-time phone calls: a voice agent can only do what the call has earned the authority to do.

The public API without a phone is `open_policy` and `Call` (all of it: `voicewarden.embed`); the command line is
`voicewarden.cli`. Importing this package loads neither: the names below are fetched when they are first used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicewarden.embed import Answer, Call, Outcome, open_policy

__version__ = "0.1.0"
__all__ = ["Answer", "Call", "Outcome", "__version__", "open_policy"]


def __getattr__(name: str) -> object:
    """The public names of `voicewarden.embed`, so that importing the package stays light."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from voicewarden import embed

    return getattr(embed, name)


def __dir__() -> list[str]:
    """What can be fetched from here."""
    return sorted(__all__)
