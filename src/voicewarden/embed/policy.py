"""Opening a policy: one file, and whatever belongs to it, comes in; a release that is ready for calls goes out.

Called by users of the library and by `voicewarden decide`. Nothing but that file is needed: see `config.shipped`.
"""

from collections.abc import Mapping
from pathlib import Path

from voicewarden.config.shipped import Lists, Opened, open_release
from voicewarden.kernel.release import Compiled
from voicewarden.model.action import Stage


class OpenedPolicy(Compiled):
    """A release made ready, and what the facts that its policy declares start with."""

    def __init__(self, opened: Opened, *, second_opinion: bool = False) -> None:
        super().__init__(opened.release, second_opinion=second_opinion)
        self.defaults = opened.defaults


def open_policy(
    policy: Path | str, *, config: Path | str | None = None, agents: Path | str | None = None,
    catalogue: Lists | None = None, lines: Mapping[str, str] | None = None, stage: Stage | None = None,
    shadow: Path | str | None = None, approved: bool = False, second_opinion: bool = False,
) -> OpenedPolicy:  # fmt: skip
    """Read, check and compile a policy. Raises ConfigError with file, line and field of everything that is wrong.

    `policy` is a file anywhere, or the name of one in `config`/policies. `config` and `agents` are folders as a phone
    call has them; with neither, those are used that the policy lies in. What is missing ships with the package: the
    English lexicon and plain lines. Without agents, every name in a `requested_by` is a role in `stage` (`bounded`
    unless it is said), and `catalogue` and `lines` add the lists of enum arguments and lines. `shadow` is a policy that
    only logs; `second_opinion` asks the reference interpreter at every decision, too.
    """
    opened = open_release(
        policy, config=None if config is None else Path(config), agents=None if agents is None else Path(agents),
        catalogue=catalogue, lines=lines, stage=stage, shadow=shadow, approved=approved,
    )  # fmt: skip
    return OpenedPolicy(opened, second_opinion=second_opinion)
