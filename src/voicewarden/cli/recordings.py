"""What `hear` and `rehear` share: the release they hear under and the transcriber, each with a clear error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicewarden.kernel.release import Compiled
    from voicewarden.model.action import Value
    from voicewarden.sensors.transcriber import Transcriber

NEEDS = "install it with: pip install 'voicewarden[live,local]'"


def release_and_defaults(policy: str, config: Path, agents: Path | None) -> tuple[Compiled, dict[str, Value]]:
    """The release of a policy with what its facts start with; from what ships where there is no configuration here."""
    from voicewarden.cli.policy import config_around
    from voicewarden.config.policy_reader import fact_defaults
    from voicewarden.config.release import load_release
    from voicewarden.config.shipped import open_release, shipped_config
    from voicewarden.kernel.release import Compiled

    folder = config_around(policy, config)
    if (folder / "lines.yaml").is_file() and agents is not None and agents.is_dir():
        release = load_release(folder, agents, policy=policy, approved=True)
        return Compiled(release), fact_defaults(folder, policy)
    opened = open_release(policy, config=folder if (folder / "lines.yaml").is_file() else shipped_config())
    return Compiled(opened.release), opened.defaults


def load_transcriber(release: Compiled) -> Transcriber:
    """The speech model that the policy's thresholds are for. Raises MissingPart without it, ConfigError for another."""
    from voicewarden.model.error import ConfigError
    from voicewarden.sensors.transcriber import Transcriber

    transcriber = Transcriber.load()
    wanted = release.policy.policy.hearing.transcriber
    if wanted != transcriber.identity:
        raise ConfigError(
            f"the policy's confidence bands are for the transcriber {wanted}, and mean nothing for this one; calibrate "
            "it and write its own bands",
            field="hearing.transcriber", accepted=transcriber.identity,
        )  # fmt: skip
    return transcriber
