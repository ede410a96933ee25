"""Phrase lists: patterns from a lexicon in, one automaton over tokens out. Built once by the `Reader`.

A pattern is words with `[a|b c]` for an optional part, `(a|b c)` for a choice, `$name` for a word class, `_` for any
one word, `..` for up to four words, and `.` for the edge of a sentence. All lists of a reader become one
deterministic automaton, so that reading costs one dictionary look-up a word, however long the lists are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from voicewarden.reading.pattern import EDGE, Graph, Place

_NODES_KEPT = 20_000


class Match(NamedTuple):
    """One phrase found: token indexes `start` to `end` (exclusive) and the name of its list."""

    start: int
    end: int
    label: str


class _Node(dict[str, "_Node | None"]):
    """A state of the automaton: where each known word leads, as far as was asked, and which lists end here."""

    __slots__ = ("follow", "labels", "places")

    def __init__(
        self, places: frozenset[Place], labels: tuple[str, ...], follow: Callable[["_Node", str], "_Node | None"]
    ) -> None:
        super().__init__()
        self.places = places
        self.labels = labels
        self.follow = follow

    def __missing__(self, word: str) -> "_Node | None":
        node = self[word] = self.follow(self, word)
        return node


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
        self._graph = Graph(classes, expand)
        for label, patterns in lists.items():
            for pattern in patterns:
                self._graph.add(pattern, label)
        self.known = frozenset(word for words in self._graph.words for word in words) | {EDGE}
        """Every word that a pattern names: to the automaton all others are one and the same."""
        self._firsts, skipped = self._graph.beginnings()
        self._skipped = self._graph.closure(skipped)
        self._root = _Node(frozenset(), (), lambda _, word: self._begin(word))
        self._nodes: dict[frozenset[Place], _Node] = {}

    def find(self, heard: Sequence[str]) -> list[Match]:
        """Return every phrase found; phrases may overlap, and an edge that a pattern asks for is not part of them."""
        found: list[Match] = []
        end, known, root = len(heard), self.known, self._root
        words = [word if word in known else "" for word in heard]
        for start, first in enumerate(words):
            node = root[first]
            at = start + 1
            while node is not None:
                if node.labels:
                    span = start + (first == EDGE), at - (words[at - 1] == EDGE)
                    found += [Match(*span, label) for label in node.labels]
                if at == end:
                    break
                node = node[words[at]]
                at += 1
        return found

    def _begin(self, word: str) -> _Node | None:
        places = self._graph.closure(self._firsts.get(word, ()))
        return self._node(places if word == EDGE else places | self._skipped)

    def _follow(self, node: _Node, word: str) -> _Node | None:
        """Return where `word` leads from `node`; unknown words all lead the same way."""
        return self._node(self._graph.after(node.places, word))

    def _node(self, places: frozenset[Place]) -> _Node | None:
        if not places:
            return None
        node = self._nodes.get(places)
        if node is None:
            if len(self._nodes) >= _NODES_KEPT:
                self._nodes.clear()
                self._root.clear()
            node = self._nodes[places] = _Node(places, self._graph.labels(places), self._follow)
        return node


def maximal(found: Sequence[Match]) -> list[Match]:
    """Drop each match that lies inside a longer one: a longer phrase says what its words mean."""
    if len(found) < 2:
        return list(found)
    kept: list[Match] = []
    furthest = -1
    for match in sorted(found, key=lambda one: (one.start, -one.end, one.label)):
        if match.end > furthest or (kept and (match.start, match.end) == kept[-1][:2]):
            kept.append(match)
            furthest = max(furthest, match.end)
    return kept
