"""The working copy of a step keeps what no facet changes."""

from typing import Any

from voicewarden.kernel.draft import Draft
from voicewarden.kernel.state import State
from voicewarden.model.event import CallAnswered


def test_every_field_is_carried_over() -> None:
    # Any: a state of things that are told apart, whatever they are; nothing looks at them here.
    told_apart: dict[str, Any] = {name: f"the {name}" for name in State.__struct_fields__}
    state = State(**(told_apart | {"seq": 7, "now_ms": 100}))
    release: Any = None
    frozen = Draft(release, state, CallAnswered(at_ms=250)).freeze()
    kept = {name: getattr(frozen, name) for name in State.__struct_fields__}
    assert kept == told_apart | {"seq": 8, "now_ms": 250}
