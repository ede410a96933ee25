"""Layers of a policy: a base and what extends it come in, the merged file goes out; called by `policy_reader`.

A layer inherits what it leaves out. Numbers move only in the narrowing direction, requirements are only added. A table
says for each key which direction narrows; a number that is not in it can't be changed by a layer.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from voicewarden.config.finding import Findings
from voicewarden.config.validation import shown
from voicewarden.config.yaml_file import Data, Place, Route, YamlFile
from voicewarden.policy.vocabulary import CONSENT_LEVELS

# Any: layers are merged before they are validated, so that one model sees the whole.
_Check = Callable[[Any, Any], str]
"""Base value and layer value to what is accepted instead, empty when the change narrows."""

_STAGE_EFFECTS: Final = ("log", "approve", "allow")


def _down(base: Any, layer: Any) -> str:
    return "" if _number(base) and _number(layer) and layer <= base else f"at most {base}"


def _up(base: Any, layer: Any) -> str:
    return "" if _number(base) and _number(layer) and layer >= base else f"at least {base}"


def _same(base: Any, layer: Any) -> str:
    return "" if base == layer and type(base) is type(layer) else f"{shown(base)}, as in the layer below"


def _free(base: Any, layer: Any) -> str:
    return ""


def _keys(base: Any, layer: Any) -> str:
    """Keys of its own; a number that is keyed in makes the key nine wait, which a layer may not."""
    return "a block without entry_pause_ms" if isinstance(layer, dict) and "entry_pause_ms" in layer else ""


def _nothing(base: Any, layer: Any) -> str:
    return "only what the layer below has"


def _level(base: Any, layer: Any) -> str:
    allowed = CONSENT_LEVELS[CONSENT_LEVELS.index(base) :] if base in CONSENT_LEVELS else ()
    return "" if layer in allowed else ", ".join(allowed)


def _stage(base: Any, layer: Any) -> str:
    allowed = _STAGE_EFFECTS[: _STAGE_EFFECTS.index(base) + 1] if base in _STAGE_EFFECTS else ()
    return "" if layer in allowed else ", ".join(allowed)


def _or(value: str) -> _Check:
    return lambda base, layer: "" if layer in (base, value) else " or ".join(dict.fromkeys((str(base), value)))


def _subset(base: Any, layer: Any) -> str:
    if not isinstance(base, list) or not isinstance(layer, list) or not layer:
        return "a list that is not empty"
    return "" if all(item in base for item in layer) else ", ".join(str(item) for item in base)


def _ladder(base: Any, layer: Any) -> str:
    """No more steps, and none of them sooner: the caller is not pressed more than the base allows."""
    try:
        fits = len(layer) <= len(base) and all(
            new["after_ms"] >= old["after_ms"] for old, new in zip(base, layer, strict=False)
        )
    except (KeyError, TypeError):
        return "a list of steps"
    return "" if fits else f"at most {len(base)} steps, none sooner than the step it replaces"


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_ACTION: Final = ("actions", "*")
_CHANGES: Final[dict[tuple[str, ...], _Check]] = {
    ("hearing", "transcriber"): _same,
    ("hearing", "calibration"): _same,
    ("hearing", "end_of_turn_ms"): _up,
    ("hearing", "end_of_turn_spelling_ms"): _up,
    ("hearing", "bands", "*", "accept_permille"): _up,
    ("hearing", "bands", "*", "confirm_permille"): _up,
    ("answerer", "no_speech_ms"): _down,
    ("answerer", "decide_by_ms"): _down,
    ("answerer", "default"): _or("human"),
    ("answerer", "when", "*"): _or("end_call"),
    ("silence", "ladder"): _ladder,
    ("silence", "backstop_ms"): _down,
    ("silence", "hold_ms"): _up,
    ("silence", "filler_ms"): _down,
    ("silence", "times_per_call"): _down,
    ("keys", "no"): _same,
    ("keys", "person"): _same,
    ("keys", "entry_pause_ms"): _down,
    ("call", "longest_ms"): _down,
    ("call", "warn_before_ms"): _up,
    ("budget", "*"): _down,
    ("questions", "*"): _down,
    ("contact", "jurisdictions"): _same,
    ("contact", "consent_level"): _level,
    ("oversight", "review_days"): _down,
    ("oversight", "pause_finishes_calls"): _or("at_once"),
    ("facts", "*", "type"): _same,
    ("facts", "*", "values"): _same,
    (*_ACTION, "args", "*", "*"): _same,
    (*_ACTION, "requested_by"): _subset,
    (*_ACTION, "stages", "*"): _stage,
    (*_ACTION, "expires_ms"): _down,
    (*_ACTION, "cooldown_ms"): _up,
    (*_ACTION, "effect"): _same,
}
_ADDITIONS: Final[dict[tuple[str, ...], tuple[_Check, Any]]] = {
    ("answerer", "when", "*"): (_or("end_call"), "end_call"),
    ("keys",): (_keys, None),
    ("keys", "entry_pause_ms"): (_nothing, None),
    (*_ACTION, "stages", "*"): (_stage, "log"),
    (*_ACTION, "args", "*"): (_nothing, None),
    (*_ACTION, "expires_ms"): (_down, 30_000),
    (*_ACTION, "requested_by"): (_free, None),
}
"""Keys that the base leaves out, and what leaving them out means there."""

_APPENDED: Final = {
    (*_ACTION, "require"), (*_ACTION, "limits"), (*_ACTION, "read_back"), ("contact", "per_person"),
    ("speech", "must_say"), ("speech", "refuse"), ("roles", "*", "actions", "*", "require"),
}  # fmt: skip
_NEEDS_NO_WHY: Final = {"why", "owner", "about", "bands", "require", "limits", "must_say", "refuse", "actions"}
_REASONS: Final = ("why", "owner")
_REASONED: Final = {
    ("hearing",), ("hearing", "bands", "*"), ("answerer",), ("silence",), ("keys",), ("call",), ("budget",),
    ("questions",), ("speech",), ("contact",), ("oversight",), ("facts", "*"), ("roles", "*"), _ACTION,
}  # fmt: skip


def merge(base: YamlFile, layer: YamlFile, findings: Findings) -> YamlFile:
    """Lay `layer` over `base`; whatever would widen is noted and left as it was."""
    merging = _Merging(base, layer, findings)
    merging.places[()] = layer.places[()]
    return YamlFile(merging.mapping((), base.data, layer.data), merging.places)


def _found(table: dict[tuple[str, ...], Any], route: Route) -> Any:
    for pattern, entry in table.items():
        if _matches(pattern, route):
            return entry
    return None


def _matches(pattern: tuple[str, ...], route: Route) -> bool:
    return len(pattern) == len(route) and all(p in ("*", r) for p, r in zip(pattern, route, strict=True))


class _Merging:
    """One merge: carries values over together with their places."""

    def __init__(self, base: YamlFile, layer: YamlFile, findings: Findings) -> None:
        self.places: dict[Route, Place] = {}
        self._base = base
        self._layer = layer
        self._findings = findings

    def mapping(self, route: Route, base: Data, layer: Data) -> Data:
        """Merge two mappings key by key."""
        self._demand_why(route, layer)
        merged: Data = {}
        for key in [*base, *(key for key in layer if key not in base)]:
            inner = (*route, key)
            if key not in layer:
                merged[key] = self._carry(self._base, inner, inner, base[key])
            elif key not in base:
                merged[key] = self._added(inner, layer[key])
            else:
                merged[key] = self._changed(inner, base[key], layer[key])
        return merged

    def _added(self, route: Route, value: Any) -> Any:
        rule = _found(_ADDITIONS, route)
        if rule is not None:
            check, absent = rule
            self._judge(route, absent, value, check)
        return self._carry(self._layer, route, route, value)

    def _changed(self, route: Route, base: Any, layer: Any) -> Any:
        if isinstance(base, dict) and isinstance(layer, dict):
            self.places[route] = self._layer.place(route)
            return self.mapping(route, base, layer)
        if isinstance(base, list) and isinstance(layer, list) and any(_matches(p, route) for p in _APPENDED):
            return self._appended(route, base, layer)
        check = _free if route[-1] in _REASONS else _found(_CHANGES, route)
        if check is None:
            check = _same if _number(base) or isinstance(base, bool | list | dict) else _free
        if not self._judge(route, base, layer, check):
            return self._carry(self._base, route, route, base)
        return self._carry(self._layer, route, route, layer)

    def _judge(self, route: Route, base: Any, layer: Any, check: _Check) -> bool:
        accepted = check(base, layer)
        if accepted:
            what = f"found {shown(layer)}: a layer may only narrow what it extends"
            self._layer.complain(self._findings, route, what, accepted)
        return not accepted

    def _appended(self, route: Route, base: list[Any], layer: list[Any]) -> list[Any]:
        merged = [self._carry(self._base, (*route, i), (*route, i), item) for i, item in enumerate(base)]
        known = {_meaning(item) for item in base}
        self.places[route] = self._layer.place(route)
        for index, item in enumerate(layer):
            if _meaning(item) not in known:
                merged.append(self._carry(self._layer, (*route, index), (*route, len(merged)), item))
        return merged

    def _carry(self, source: YamlFile, old: Route, new: Route, value: Any) -> Any:
        self.places[new] = source.place(old)
        if isinstance(value, dict):
            for key, item in value.items():
                self._carry(source, (*old, key), (*new, key), item)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._carry(source, (*old, index), (*new, index), item)
        return value

    def _demand_why(self, route: Route, layer: Data) -> None:
        if not any(_matches(pattern, route) for pattern in _REASONED) or "why" in layer:
            return
        if layer.keys() - _NEEDS_NO_WHY:
            self._layer.complain(self._findings, (*route, "why"), "is missing: a layer says why it changes something")


def _meaning(item: Any) -> str:
    """An entry without its reason and owner: a layer that repeats a rule adds nothing."""
    if isinstance(item, dict):
        item = {key: value for key, value in item.items() if key not in _REASONS}
    return json.dumps(item, sort_keys=True, default=str)
