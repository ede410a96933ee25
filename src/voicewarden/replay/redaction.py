"""Redaction: the events of a call with words, names, figures and identifiers of people replaced.

In: events and the release that governed them. Out: events that say the same to the kernel and nothing about a person.
A word stays that the release knows (its lexicon, lines, facts, catalogue): that is what rules and readings rest on.
Every other word becomes an invented one, the same for the same word, so that what was said twice is still the same.
Times, dates and numbers of up to four digits stay. Called by `pin`, which checks that the decisions stay too.
"""

import hmac
import re
from collections.abc import Iterable
from typing import Final

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.model import event as events
from voicewarden.model.action import BUILT_IN_ACTIONS, Arguments, Value
from voicewarden.model.canonical import digest_of
from voicewarden.policy.generator import atoms
from voicewarden.policy.vocabulary import fact_type

_replace = msgspec.structs.replace
_DAY_MS: Final = 86_400_000
_CONSONANTS: Final = "bdfgklmnprstvz"
_VOWELS: Final = "aeiou"
_MOMENT: Final = r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?)?"
_DIGITS: Final = r"\d(?:[\s().+/-]*\d){4,}"
_WORD: Final = r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*"
_PARTS: Final = re.compile(f"(?P<moment>{_MOMENT})|(?P<digits>{_DIGITS})|(?P<word>{_WORD})")
_PLAIN: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_NUMBER_WORDS: Final = 4
"""From so many number words in a row on it is no price and no time, but somebody's number."""
_KEYS: Final = frozenset("19*#")
"""Keys that mean something under every policy, or delimit a number."""
_NOWHERE: Final = "0" * 64
_KNOWN_TO_READINGS: Final = frozenset(
    "number name spell address email postcode code date birth digits reference what whats which your tell give could "
    "can may am pm morning afternoon evening night noon midday midnight st nd rd th in of until by since during next "
    "last this from oclock half quarter past percent pct per cent a".split()
)
"""Words that the readings know beside the lexicon. One that is missing here costs nothing but the word `needed`."""


class Redactor:
    """Replaces what identifies people; `keep` is words that stay although the release does not know them."""

    def __init__(self, release: Compiled, call: str, name: str, key: bytes, keep: Iterable[str] = ()) -> None:
        """`call` is the recorded call's id and `name` the new one; the key is thrown away afterwards."""
        self._release = release
        self._call, self._name, self._key = call, name, key
        self._keep = {word.lower() for word in keep}
        self._known = vocabulary(release)
        self._digits = [word for word, value in release.reader.numbers.items() if value < 10]
        self._run = _run_of(self._digits)
        keys = release.data.policy.keys
        self._keys = _KEYS if keys is None else _KEYS | {keys.no, keys.person}
        self._no_key = next(digit for digit in "0123456789" if digit not in self._keys)
        self._actions = release.data.policy.actions
        self._digests: dict[str, str] = {}
        self.replaced: dict[str, None] = {}
        """What was replaced, in lower case, in order."""
        self.left: dict[str, None] = {}
        """What the caller said that was not replaced, in lower case, in order."""

    def event(self, event: events.Event) -> events.Event:
        """One event without what identifies people."""
        match event:
            case events.CallStarted():
                return self._started(event)
            case events.CallerSpoke():
                return self._spoke(event)
            case events.SentenceProposed():
                return _replace(event, text=self.text(event.text))
            case events.DtmfPressed():
                # A card's number is told with keys; a few of them mean something to the kernel.
                means = event.digit in self._keys or not self._replaces(f"key {event.digit}")
                return event if means else _replace(event, digit=self._no_key)
            case events.ActionRequested():
                return self._requested(event)
            case events.FactLearned():
                return _replace(event, value=self._fact(event.fact, event.value), source="a record")
            case events.ReceiptReturned():
                detail = {name: self._value(value) for name, value in event.detail.items()}
                return _replace(event, grant=self._id(event.grant), detail=detail)
            case events.TimerFired():
                return _replace(event, timer=self._id(event.timer))
            case events.OperatorApproved():
                return _replace(event, operator="operator", digest=self._digests.get(event.digest, event.digest))
            case events.AuthorityTightened() | events.AuthorityRevoked() | events.CallsPaused():
                return _replace(event, operator="operator")
            case events.RecordingStored():
                return _replace(event, blob=_NOWHERE)
            case _:
                return event

    def text(self, text: str) -> str:
        """A text with everything replaced that the release does not know."""
        return _PARTS.sub(self._part, self._run.sub(self._number, text))

    def _started(self, event: events.CallStarted) -> events.CallStarted:
        # What the release does not declare was never learnt, so that it need not be kept.
        facts = {
            name: self._fact(name, value) for name, value in event.facts.items()
            if fact_type(name, self._release.declared) is not None
        }  # fmt: skip
        day_ms = event.started_unix_ms - event.started_unix_ms % _DAY_MS
        return _replace(event, call=self._name, contact="redacted", started_unix_ms=day_ms, facts=facts)

    def _spoke(self, event: events.CallerSpoke) -> events.CallerSpoke:
        # All words at once: a number that is said in several words is one number.
        said = self.text("\n".join(word.text for word in event.words)).split("\n")
        words = tuple(
            events.Word(text, word.permille, word.from_ms, word.to_ms)
            for text, word in zip(said, event.words, strict=True)
        ) if event.words else ()  # fmt: skip
        before = dict.fromkeys(words_of(event.text))
        self.left |= {word: None for word in before if word not in self.replaced}
        return _replace(event, text=self.text(event.text), words=words)

    def _requested(self, event: events.ActionRequested) -> events.ActionRequested:
        known = event.action in self._actions or event.action in BUILT_IN_ACTIONS
        action = event.action if known else self.text(event.action)
        args = self._arguments(event.action, event.args)
        self._digests[digest_of(event.args)] = digest_of(args)
        principal = event.principal if event.principal in self._release.data.agents else self.text(event.principal)
        return _replace(event, action=action, args=args, principal=principal)

    def _arguments(self, action: str, args: Arguments) -> Arguments:
        rule = self._actions.get(action)
        free = {item.name for item in rule.args if item.kind == "text"} if rule else set(args)
        typed = {item.name for item in rule.args} if rule else set()
        return {
            name: self._value(value) if name in free or name not in typed else value for name, value in args.items()
        }  # fmt: skip

    def _fact(self, name: str, value: Value) -> Value:
        kind = fact_type(name, self._release.declared)
        return self._value(value) if kind is None or kind.kind == "text" else value

    def _value(self, value: Value) -> Value:
        if isinstance(value, str):
            return self.text(value)
        return 0 if type(value) is int and abs(value) > 9999 else value

    def _id(self, text: str) -> str:
        """Ids of grants begin with the call's id."""
        return text.replace(f"{self._call}/", f"{self._name}/")

    def _part(self, found: re.Match[str]) -> str:
        if found["moment"]:
            return found[0]
        if found["digits"]:
            return self._other_digits(found[0])
        return self._other_word(found[0])

    def _other_digits(self, run: str) -> str:
        plain = "".join(re.findall(r"\d", run))
        if plain in self._known or not self._replaces(plain):
            return run
        other = iter(self._chosen(plain, "0123456789", len(plain)))
        return re.sub(r"\d", lambda _: next(other), run)

    def _number(self, found: re.Match[str]) -> str:
        said = re.findall(r"\w+", found[0].lower())
        if not self._replaces(" ".join(said)):
            return found[0]
        other = iter(self._chosen(" ".join(said), self._digits, len(said)))
        return re.sub(r"\w+", lambda _: next(other), found[0])

    def _other_word(self, word: str) -> str:
        if self._is_known(word) or not self._replaces(word.lower()):
            return word
        other = self._invented(word.lower())
        return other.upper() if word.isupper() and len(word) > 1 else other.capitalize() if word[0].isupper() else other

    def _is_known(self, word: str) -> bool:
        # Some letters of other scripts fall apart in lower case, so that one word may become several.
        parts = words_of(word)
        read = [token for part in parts if part not in self._known for token in self._release.reader.expand(part)]
        return bool(parts) and all(token in self._known for token in read)

    def _replaces(self, plain: str) -> bool:
        """Whether this may be replaced; notes it if so."""
        if plain in self._keep:
            return False
        self.replaced[plain] = None
        return True

    def _invented(self, plain: str) -> str:
        for attempt in range(100):
            letters = self._chosen(f"{plain} {attempt}", _CONSONANTS, 3), self._chosen(f"{attempt} {plain}", _VOWELS, 3)
            word = "".join(one + other for one, other in zip(*letters, strict=True))
            if len(plain) == 1:
                word = word[0]
            if word not in self._known:
                return word
        return plain

    def _chosen(self, plain: str, choices: str | list[str], count: int) -> list[str]:
        # Keyed, so that nobody can try names until one fits.
        drawn = hmac.digest(self._key, plain.encode(), "sha512")
        return [choices[drawn[index % len(drawn)] % len(choices)] for index in range(count)]


def vocabulary(release: Compiled) -> frozenset[str]:
    """Every word that the release itself holds: what may be said about the business stays readable."""
    data = release.data
    texts = [*data.lines.values(), *(fact.text for fact in data.facts)]
    texts += [text for listing in data.catalogue.values() for item in listing.items() for text in item]
    texts += [str(value) for answers in data.lookups.values() for item in answers.items() for value in item]
    texts += [rule.question for rule in data.policy.actions.values()]
    texts += [*data.policy.actions, *data.agents, *data.destinations, *_literals(release)]
    said = {token for text in texts for token in words_of(text.replace("_", " "))}
    return release.reader.vocabulary | _KNOWN_TO_READINGS | said


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, with one kind of apostrophe."""
    return _PLAIN.findall(text.lower().replace("\u2019", "'"))


def _literals(release: Compiled) -> list[str]:
    """Texts that rules compare facts with."""
    rules = (rule for action in release.data.policy.actions.values() for rule in action.require)
    tests = (atom for rule in rules for atom in atoms(rule.condition))
    return [value for atom in tests for value in (atom.is_, *(atom.in_ or ())) if isinstance(value, str)]


def _run_of(digits: list[str]) -> re.Pattern[str]:
    one = "(?:" + "|".join(map(re.escape, digits)) + ")" if digits else r"(?!)"
    return re.compile(rf"\b{one}(?:[\s,.-]+{one}){{{_NUMBER_WORDS - 1},}}\b", re.IGNORECASE)
