"""Keeps what people say out of the logs: pipecat writes spoken text and whole model contexts into its own log.

Imported by the package before anything of pipecat. What remains is one line per warning that names its place and no
content.
"""

import importlib.util
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from loguru import Record

PLACE_ONLY: Final = "{time:YYYY-MM-DDTHH:mm:ss.SSS} {level} {name}:{line}\n"
"""Loguru format without the message and without the exception, because either may quote a caller."""


def _is_news(record: "Record") -> bool:
    """Closing a socket that the carrier has closed already is the ordinary end of a call."""
    return record["function"] != "_on_close_done"


def silence() -> None:
    """Take all sinks away and put the one in that prints places."""
    if importlib.util.find_spec("loguru") is None:
        return  # the speech server runs without pipecat and whatever comes with it
    from loguru import logger

    logger.remove()
    logger.add(
        sys.stderr, level="WARNING", format=lambda _: PLACE_ONLY, filter=_is_news, backtrace=False, diagnose=False
    )


silence()
