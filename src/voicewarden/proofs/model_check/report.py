"""The whole check: every scene of a release searched, and what came of it.

In: a release and how many states to look at. Out: `Checked`, with a call for every promise that was broken. Called by
the command line and tests.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from voicewarden.kernel.release import Compiled
from voicewarden.proofs.model_check.cast import Cast, cast_of
from voicewarden.proofs.model_check.controls import CONTROLS, broken_kernel
from voicewarden.proofs.model_check.processes import Job, Searched, run_all
from voicewarden.proofs.model_check.scene import Scene, scenes
from voicewarden.proofs.model_check.search import Path, Search
from voicewarden.proofs.model_check.telling import Call, tell

_SHARES: Final = {"interruptions": 4, "questions": 2, "orders": 2, "strangers": 2}
"""How many tenths of the states a scene gets: where a step costs least, most."""
_CONTROL_STATES: Final = 20_000


class Broken(NamedTuple):
    """A promise that does not hold, with the shortest call that shows it."""

    scene: str
    promise: str
    letters: tuple[str, ...]
    call: Call


class Checked(NamedTuple):
    """What the check of a release came to."""

    policy: str
    """Content hash of the policy."""
    scenes: tuple[Searched, ...]
    broken: tuple[Broken, ...]
    seconds: float

    @property
    def states(self) -> int:
        """Abstract states, distinct within their scene."""
        return sum(item.found.states for item in self.scenes)

    @property
    def near(self) -> int:
        """Those of them that breadth first search found."""
        return sum(item.found.near for item in self.scenes)

    @property
    def ended(self) -> int:
        """States from which a call that everybody leaves alone was followed to its end."""
        return sum(item.found.ended for item in self.scenes)

    @property
    def transitions(self) -> int:
        """Letters that were taken from one state to another."""
        return sum(item.found.transitions for item in self.scenes)

    @property
    def steps(self) -> int:
        """Calls of the real `kernel.step`, each judged."""
        return sum(item.found.steps for item in self.scenes)


class Controlled(NamedTuple):
    """Whether a kernel that is broken on purpose was found out, and by which call."""

    name: str
    about: str
    broken: Broken | None
    states: int


def check(
    release: Compiled, *, states: int = 600_000, processes: int = 2,
    progress: Callable[[int], None] = lambda states: None,
) -> Checked:  # fmt: skip
    """Search every scene, so many near states in all; those behind them, where calls are left alone, about double it.

    Raises ConfigError for a policy without any question, VoicewardenError if a process dies.
    """
    began, cast = time.perf_counter(), cast_of(release)
    in_order = sorted(scenes(cast), key=lambda scene: -_SHARES[scene.name])
    jobs = [Job(cast, scene, max(1, states * _SHARES[scene.name] // 10)) for scene in in_order]
    searched = run_all(jobs, processes, progress)
    broken = tuple(
        _broken(cast, job.scene, path) for job, item in zip(jobs, searched, strict=True) for path in item.found.paths
    )
    return Checked(release.policy.hash, tuple(searched), broken, time.perf_counter() - began)


def check_controls(release: Compiled, names: Sequence[str] = ()) -> tuple[Controlled, ...]:
    """Break the kernel on purpose, one part at a time, and look whether the check finds it."""
    cast = cast_of(release)
    return tuple(_control(cast, name) for name in names or CONTROLS)


def _control(cast: Cast, name: str) -> Controlled:
    with broken_kernel(name) as control:
        scene = next(item for item in scenes(cast) if item.name == control.scene)
        found = Search(cast, scene, _CONTROL_STATES, until=control.promises).run()
        path = next((item for item in found.paths if item.broken in control.promises), None)
        broken = None if path is None else _broken(cast, scene, path)
    return Controlled(name, control.about, broken, found.states)


def _broken(cast: Cast, scene: Scene, path: Path) -> Broken:
    return Broken(scene.name, path.broken, path.letters, tell(cast, scene, path))
