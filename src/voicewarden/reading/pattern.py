"""Patterns: the notation of `reading.phrase` in, a graph over words out. Used by `Phrases` alone.

A class is built once and entered from wherever a pattern names it, as a subroutine is: a place in the graph is a state
together with the place to go on from behind the class. Beginnings that patterns share are one path.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from voicewarden.model.error import ConfigError
from voicewarden.reading.text import tokens

EDGE = "."
Place = tuple[int, "Place | None"]
"""A state, and where to go on at the end of the class that it belongs to; None outside of classes."""
_GAP_WORDS = 4
_PART = re.compile(r"[()\[\]|]|\.\.|\.|_|\$[a-z_]+|[^\s()\[\]|]+", re.ASCII)


class Graph:
    """The non-deterministic graph that patterns are added to before they become an automaton; it has no cycle."""

    def __init__(self, classes: Mapping[str, str], expand: Callable[[str], tuple[str, ...]]) -> None:
        self.words: list[dict[str, int]] = []
        """Where each word leads, by state."""
        self._any: dict[int, int] = {}
        self._free: dict[int, list[int]] = {}
        self._calls: dict[int, dict[str, int]] = {}
        self._labels: dict[int, dict[str, str]] = {}
        self._classes = classes
        self._built: dict[str, tuple[int, int]] = {}
        self._exits: set[int] = set()
        self._expand = expand
        self._read: dict[str, tuple[str, ...]] = {EDGE: (EDGE,)}
        self._root = self._state()

    def add(self, pattern: str, label: str) -> None:
        """Add one pattern of the list `label`."""
        parts = _PART.findall(pattern)
        end, used = self._sequence(parts, 0, self._root, pattern)
        if used != len(parts) or not parts:
            raise ConfigError(f"the pattern {pattern!r} is empty or has a bracket that was never opened", field=label)
        self._labels.setdefault(end, {})[label] = pattern

    def beginnings(self) -> tuple[dict[str, list[Place]], list[Place]]:
        """Return the places behind each first word of a pattern, and those behind any first word."""
        begin = self.closure([(self._root, None)])
        firsts: dict[str, list[Place]] = {}
        for state, back in begin:
            if back is None and state in self._labels:
                label, pattern = next(iter(self._labels[state].items()))
                raise ConfigError(f"the pattern {pattern!r} has no required word", field=label)
            for word, there in self.words[state].items():
                firsts.setdefault(word, []).append((there, back))
        return firsts, [(self._any[state], back) for state, back in begin if state in self._any]

    def closure(self, places: Iterable[Place]) -> frozenset[Place]:
        """Return all places that matter and are reached from `places` without a word."""
        free, calls, exits = self._free, self._calls, self._exits
        seen = set(places)
        todo = list(seen)
        for place in todo:
            state, back = place
            fresh: list[Place] = [(there, back) for there in free.get(state, ())]
            fresh += [(self._built[name][0], (after, back)) for name, after in calls.get(state, {}).items()]
            if back is not None and state in exits:
                fresh.append(back)
            for one in fresh:
                if one not in seen:
                    seen.add(one)
                    todo.append(one)
        return frozenset(one for one in todo if self.words[one[0]] or one[0] in self._any or one[0] in self._labels)

    def after(self, places: Iterable[Place], word: str) -> frozenset[Place]:
        """Return the places to which `word` leads from `places`; a word that no pattern names is the empty one."""
        there: set[Place] = {(self.words[state][word], back) for state, back in places if word in self.words[state]}
        if word != EDGE:
            there.update((self._any[state], back) for state, back in places if state in self._any)
        return self.closure(there)

    def labels(self, places: Iterable[Place]) -> tuple[str, ...]:
        """Return the lists of which a pattern ends in one of `places`."""
        return tuple(sorted({label for state, _ in places for label in self._labels.get(state, ())}))

    def _state(self) -> int:
        self.words.append({})
        return len(self.words) - 1

    def _sequence(self, parts: Sequence[str], at: int, here: int, pattern: str) -> tuple[int, int]:
        """Read parts until a bar or a closing bracket; return the last state and how far it came."""
        while at < len(parts) and parts[at] not in (")", "]", "|"):
            here, at = self._part(parts, at, here, pattern)
        return here, at

    def _part(self, parts: Sequence[str], at: int, here: int, pattern: str) -> tuple[int, int]:
        part = parts[at]
        if part in ("(", "["):
            return self._choice(parts, at, here, pattern)
        if part[0] == "$":
            return self._class(part[1:], here, pattern), at + 1
        if part == "..":
            return self._gap(here), at + 1
        if part == "_":
            return self._after_any(here), at + 1
        for word in self._read.get(part) or self._word(part, pattern):
            # INVARIANT: a state behind a word is entered by that word from that state alone, so that patterns can
            # share it; test_phrases_are_those_of_a_plain_reading.
            here = self.words[here].get(word) or self._after_word(here, word)
        return here, at + 1

    def _word(self, part: str, pattern: str) -> tuple[str, ...]:
        if tokens(part) != (part,):
            raise ConfigError(
                f"the pattern {pattern!r} holds {part!r}, which no text contains", accepted="folded words"
            )
        words = self._read[part] = self._expand(part)
        return words

    def _after_word(self, here: int, word: str) -> int:
        there = self.words[here][word] = self._state()
        return there

    def _after_any(self, here: int) -> int:
        if here not in self._any:
            self._any[here] = self._state()
        return self._any[here]

    def _choice(self, parts: Sequence[str], at: int, here: int, pattern: str) -> tuple[int, int]:
        end = self._state()
        closing = ")" if parts[at] == "(" else "]"
        if closing == "]":
            self._free.setdefault(here, []).append(end)
        while at < len(parts) and parts[at] != closing:
            last, at = self._sequence(parts, at + 1, here, pattern)
            self._free.setdefault(last, []).append(end)
        if at >= len(parts):
            raise ConfigError(f"the pattern {pattern!r} has an open bracket", accepted=f"a closing {closing}")
        return end, at + 1

    def _class(self, name: str, here: int, pattern: str) -> int:
        """Enter a class from `here`; it is built on first use."""
        if name not in self._built:
            if name not in self._classes:
                raise ConfigError(f"the pattern {pattern!r} names the unknown class ${name}", field="classes")
            self._built[name] = entry, end = self._state(), self._state()
            last, _ = self._choice(_PART.findall(f"({self._classes[name]})"), 0, entry, pattern)
            self._free.setdefault(last, []).append(end)
            self._exits.add(end)
        elif self._built[name][1] not in self._exits:
            raise ConfigError(f"the class ${name} names itself", field="classes")
        calls = self._calls.setdefault(here, {})
        if name not in calls:
            calls[name] = self._state()
        return calls[name]

    def _gap(self, here: int) -> int:
        end = self._state()
        self._free.setdefault(here, []).append(end)
        for _ in range(_GAP_WORDS):
            here = self._after_any(here)
            self._free.setdefault(here, []).append(end)
        return end
