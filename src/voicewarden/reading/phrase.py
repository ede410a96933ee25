"""Phrase lists: patterns from a lexicon in, one automaton over tokens out. Built once by the `Reader`.

A pattern is words with `[a|b c]` for an optional part, `(a|b c)` for a choice, `$name` for a word class, `_` for any
one word, `..` for up to four words, and `.` for the edge of a sentence. All lists of a reader become one
deterministic automaton, so that reading costs one dictionary look-up a word, however long the lists are.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from voicewarden.model.error import ConfigError
from voicewarden.reading.text import tokens

EDGE = "."
_GAP_WORDS = 4
_NODES_KEPT = 20_000
_PART = re.compile(r"[()\[\]|]|\.\.|\.|_|\$[a-z_]+|[^\s()\[\]|]+", re.ASCII)


class Match(NamedTuple):
    """One phrase found: token indexes `start` to `end` (exclusive) and the name of its list."""

    start: int
    end: int
    label: str


class _Node:
    """A state of the automaton: where each known word leads, as far as was asked, and which lists end here."""

    __slots__ = ("labels", "next", "states")

    def __init__(self, states: frozenset[int], labels: tuple[str, ...]) -> None:
        self.states = states
        self.labels = labels
        self.next: dict[str, _Node | None] = {}


class _Graph:
    """The non-deterministic graph that patterns are added to before they become an automaton."""

    def __init__(self, classes: Mapping[str, str], expand: Callable[[str], tuple[str, ...]]) -> None:
        self.words: list[dict[str, set[int]]] = []
        self.any: list[set[int]] = []
        self.free: list[set[int]] = []
        self.ends: dict[int, str] = {}
        self._classes = classes
        self._expand = expand
        self.root = self.state()

    def state(self) -> int:
        """Add a state and return its number."""
        self.words.append({})
        self.any.append(set())
        self.free.append(set())
        return len(self.words) - 1

    def add(self, pattern: str, label: str) -> None:
        """Add one pattern of the list `label`."""
        parts = _PART.findall(pattern)
        end, used = self._sequence(parts, 0, self.root, pattern)
        if used != len(parts) or not parts:
            raise ConfigError(f"the pattern {pattern!r} is empty or has a bracket that was never opened", field=label)
        if self.root in self.closure({end}) or end in self.closure({self.root}):
            raise ConfigError(f"the pattern {pattern!r} has no required word", field=label)
        self.ends[end] = label

    def closure(self, states: Iterable[int]) -> frozenset[int]:
        """Return `states` with all that is reached from them without a word."""
        seen = set(states)
        todo = list(seen)
        while todo:
            fresh = self.free[todo.pop()] - seen
            seen |= fresh
            todo.extend(fresh)
        return frozenset(seen)

    def _sequence(self, parts: Sequence[str], at: int, start: int, pattern: str) -> tuple[int, int]:
        """Read parts until a bar or a closing bracket; return the last state and how far it came."""
        here = self.state()
        self.free[start].add(here)
        while at < len(parts) and parts[at] not in (")", "]", "|"):
            here, at = self._part(parts, at, here, pattern)
        return here, at

    def _part(self, parts: Sequence[str], at: int, here: int, pattern: str) -> tuple[int, int]:
        part = parts[at]
        if part in ("(", "["):
            return self._choice(parts, at, here, pattern)
        if part.startswith("$"):
            if part[1:] not in self._classes:
                raise ConfigError(f"the pattern {pattern!r} names the unknown class {part}", field="classes")
            inner = _PART.findall(f"({self._classes[part[1:]]})")
            return self._choice(inner, 0, here, pattern)[0], at + 1
        if part == "..":
            return self._gap(here), at + 1
        if part not in (EDGE, "_") and tokens(part) != (part,):
            raise ConfigError(
                f"the pattern {pattern!r} holds {part!r}, which no text contains", accepted="folded words"
            )
        for word in (part,) if part in (EDGE, "_") else self._expand(part):
            there = self.state()
            (self.any[here] if word == "_" else self.words[here].setdefault(word, set())).add(there)
            here = there
        return here, at + 1

    def _choice(self, parts: Sequence[str], at: int, here: int, pattern: str) -> tuple[int, int]:
        end = self.state()
        closing = ")" if parts[at] == "(" else "]"
        if closing == "]":
            self.free[here].add(end)
        while at < len(parts) and parts[at] != closing:
            last, at = self._sequence(parts, at + 1, here, pattern)
            self.free[last].add(end)
        if at >= len(parts):
            raise ConfigError(f"the pattern {pattern!r} has an open bracket", accepted=f"a closing {closing}")
        return end, at + 1

    def _gap(self, here: int) -> int:
        end = self.state()
        self.free[here].add(end)
        for _ in range(_GAP_WORDS):
            there = self.state()
            self.any[here].add(there)
            self.free[there].add(end)
            here = there
        return end


class Phrases:
    """All patterns of a set of lists as one automaton over tokens.

    The automaton is made deterministic step by step, where texts lead; steps are kept, since a whole one would take
    seconds to build. What is kept never changes a result, and is dropped when it grows too large.
    """

    def __init__(
        self,
        lists: Mapping[str, Iterable[str]],
        classes: Mapping[str, str],
        expand: Callable[[str], tuple[str, ...]],
    ) -> None:
        self._graph = _Graph(classes, expand)
        for label, patterns in lists.items():
            for pattern in patterns:
                self._graph.add(pattern, label)
        self._known = frozenset(word for words in self._graph.words for word in words) | {EDGE}
        self._root = _Node(self._graph.closure({self._graph.root}), ())
        firsts: dict[str, set[int]] = {}
        for state in self._root.states:
            for word, there in self._graph.words[state].items():
                firsts.setdefault(word, set()).update(there)
        skipped = {there for state in self._root.states for there in self._graph.any[state]}
        self._firsts = {
            word: self._graph.closure(there if word == EDGE else there | skipped) for word, there in firsts.items()
        }
        self._skipped = self._graph.closure(skipped)
        self._nodes: dict[frozenset[int], _Node] = {}

    def find(self, heard: Sequence[str]) -> list[Match]:
        """Return every phrase found; phrases may overlap, and an edge that a pattern asks for is not part of them."""
        found: list[Match] = []
        end, known, begun = len(heard), self._known, self._root.next
        words = [word if word in known else "" for word in heard]
        for start, first in enumerate(words):
            node = begun[first] if first in begun else self._begin(first)
            at = start + 1
            while node is not None:
                for label in node.labels:
                    found.append(Match(start + (first == EDGE), at - (words[at - 1] == EDGE), label))
                if at >= end:
                    break
                word = words[at]
                node = node.next[word] if word in node.next else self._step(node, word)
                at += 1
        return found

    def _begin(self, word: str) -> _Node | None:
        states = self._firsts.get(word, frozenset() if word == EDGE else self._skipped)
        node = self._node(states) if states else None
        self._root.next[word] = node
        return node

    def _step(self, node: _Node, word: str) -> _Node | None:
        """Return where `word` leads from `node`, and keep it; unknown words all lead the same way."""
        graph = self._graph
        there: set[int] = set()
        for state in node.states:
            there.update(graph.words[state].get(word, ()))
            if word != EDGE:
                there.update(graph.any[state])
        following = self._node(graph.closure(there)) if there else None
        node.next[word] = following
        return following

    def _node(self, states: frozenset[int]) -> _Node:
        node = self._nodes.get(states)
        if node is None:
            if len(self._nodes) >= _NODES_KEPT:
                self._nodes.clear()
                self._root.next.clear()
            ends = self._graph.ends
            node = _Node(states, tuple(sorted({ends[state] for state in states if state in ends})))
            self._nodes[states] = node
        return node


def maximal(found: Iterable[Match]) -> list[Match]:
    """Drop each match that lies inside a longer one: a longer phrase says what its words mean."""
    kept: list[Match] = []
    furthest = -1
    for match in sorted(found, key=lambda one: (one.start, -one.end, one.label)):
        if match.end > furthest or (kept and (match.start, match.end) == kept[-1][:2]):
            kept.append(match)
            furthest = max(furthest, match.end)
    return kept
