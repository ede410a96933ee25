"""Lexicon and reader: word lists as data in, patterns ready for matching out.

`Lexicon` mirrors a file of `config/lexicons/` field by field; the config room loads and validates it. `Reader` is
built from it once per release and is what every function of this room takes.
"""

from collections.abc import Iterable

import msgspec

from voicewarden.model.error import ConfigError
from voicewarden.reading.pattern import EDGE
from voicewarden.reading.phrase import Phrases
from voicewarden.reading.text import fold


class Lexicon(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The words and phrases of one language; the pattern notation is explained in `reading.phrase`.

    A list that came later is empty where a lexicon does not have it, and then nothing is found by it: what was stored
    with an older call is read as it was.
    """

    language: str
    """ISO 639-1 code, such as `en`."""

    classes: tuple[str, ...]
    """Word classes for use in patterns, each `name: choice|choice`."""
    spellings: tuple[str, ...]
    """`written=read as`; a written form with an apostrophe also counts without it."""
    apostrophe_needed: tuple[str, ...]
    """Written forms that are another word without their apostrophe, such as `we're`."""

    yes: tuple[str, ...]
    """Words that are a yes by themselves."""
    echo: tuple[str, ...]
    """Phrases that tell the agent to do what it asked about, whatever that is."""
    echo_for: tuple[str, ...]
    """`words of the question: phrase`; the phrase counts only if the question has one of the words."""
    accept: tuple[str, ...]
    """Statements that agree with a question without a yes."""
    support: tuple[str, ...]
    """What may stand beside a yes and adds nothing (`I do`)."""
    polite: tuple[str, ...]
    okay: tuple[str, ...]
    """Words that acknowledge as often as they agree; never a yes by themselves."""
    filler: tuple[str, ...]
    lead: tuple[str, ...]
    """Words that may stand before a no."""
    light: tuple[str, ...]
    """Words of a statement that do not decide it."""
    hedge: tuple[str, ...]
    sarcasm: tuple[str, ...]
    mixed: tuple[str, ...]
    """Phrases with a no-word that may mean yes, so that they mean nothing (`why not`)."""
    no: tuple[str, ...]
    """No-words, which count at the edges of a clause."""
    refusal: tuple[str, ...]
    withdrawal: tuple[str, ...]
    """Phrases that take back a consent given before."""
    negation: tuple[str, ...]
    """Single words that turn a sentence round."""
    condition: tuple[str, ...]
    reservation: tuple[str, ...]
    """Words that limit a yes, and mean nothing without one (`but`)."""
    asking: tuple[str, ...]
    """Beginnings of questions and requests for information."""
    correction: tuple[str, ...]
    """Signs that the answer wants something else than what was asked."""

    open_question: tuple[str, ...]
    """Questions that a yes does not settle."""
    inverted_question: tuple[str, ...]
    """Questions whose yes may mean no."""
    asks_to_confirm: tuple[str, ...]
    """Statements that ask for a yes without a question mark."""
    choice: tuple[str, ...]
    """Words that offer alternatives."""
    no_choice: tuple[str, ...]
    """Phrases with such a word that offer none (`or not`)."""

    opt_out: tuple[str, ...]
    not_opt_out: tuple[str, ...]
    reported: tuple[str, ...]
    """Beginnings that turn what follows: a denial, a time, a story about other people. An opt-out that starts in one or
    right after it is none of the caller's."""
    stop_speaking: tuple[str, ...]
    wants_person: tuple[str, ...]
    not_wants_person: tuple[str, ...]
    asks_if_ai: tuple[str, ...]
    asks_who: tuple[str, ...]
    wrong_person: tuple[str, ...]
    recording_objection: tuple[str, ...]
    hold_on: tuple[str, ...]
    asks_repeat: tuple[str, ...]
    minor: tuple[str, ...] = ()
    """What a child on the line says."""
    not_minor: tuple[str, ...] = ()
    distress: tuple[str, ...] = ()
    """Signs of an emergency, a loss, or harm that the caller means to themselves."""
    not_distress: tuple[str, ...] = ()
    not_wrong_person: tuple[str, ...] = ()
    not_heard: tuple[str, ...]
    """Phrases that hold a signal's words and mean something else; one list for all signals but the opt-out."""

    mailbox: tuple[str, ...]
    menu: tuple[str, ...]
    screening: tuple[str, ...]
    unavailable: tuple[str, ...]
    announcing: tuple[str, ...] = ()
    """How recordings begin, and people at a reception desk (`you have reached`)."""
    receptionist: tuple[str, ...] = ()
    """What somebody says who picks up for others, however long the greeting is (`how may I help you`)."""
    human: tuple[str, ...]
    """Short live greetings, counted only when little else is said."""
    decline: tuple[str, ...]
    """First-person declines, which no recording says."""

    denies_ai: tuple[str, ...]
    not_denies_ai: tuple[str, ...]
    private_data: tuple[str, ...]
    not_private_data: tuple[str, ...]

    superlative: tuple[str, ...]
    guarantee: tuple[str, ...]
    scarcity: tuple[str, ...]
    not_claim: tuple[str, ...]
    numbers: tuple[str, ...]
    """`word=value` below a hundred."""
    scales: tuple[str, ...]
    """`word=value` for words that multiply."""
    ordinals: tuple[str, ...]
    months: tuple[str, ...]
    """From January on."""
    weekdays: tuple[str, ...]
    """From Monday on."""
    currency: tuple[str, ...]
    cents: tuple[str, ...]
    no_count: tuple[str, ...]
    """Phrases in which a number word counts nothing (`one moment`)."""


_CONSENT = (
    "yes echo accept support polite okay filler lead hedge sarcasm mixed no refusal withdrawal condition "
    "reservation asking correction"
).split()
_QUESTION = "open_question inverted_question asks_to_confirm choice no_choice".split()
_HEARD = (
    "opt_out stop_speaking wants_person asks_if_ai asks_who wrong_person recording_objection hold_on asks_repeat minor "
    "distress"
).split()
_MISHEARD = "not_opt_out reported not_wants_person not_minor not_distress not_wrong_person not_heard".split()
_ANSWERING = "mailbox menu screening unavailable announcing receptionist human decline".split()
_HONESTY = "denies_ai not_denies_ai private_data not_private_data".split()
_CLAIMS = "superlative guarantee scarcity not_claim no_count".split()
_STOPS = ".!?;"


Read = tuple[tuple[str, ...], str]
"""A word's tokens, and the sign at its end."""


class Reader:
    """A lexicon made ready: automata for each reading and tables for numbers and dates.

    Nothing that it answers ever changes; what it remembers, to be quicker, are words of the lexicon and nothing else.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self.language = lexicon.language
        self._spellings = _spellings(lexicon)
        self._classes = dict(_pair(entry, ":", "classes") for entry in lexicon.classes)
        self.echo_keys, echoes = _echoes(lexicon.echo_for)
        self.consent = self._phrases(lexicon, _CONSENT, echoes)
        self.question = self._phrases(lexicon, _QUESTION)
        self.heard = self._phrases(lexicon, _HEARD)
        self.misheard = self._phrases(lexicon, _MISHEARD)
        self.answering = self._phrases(lexicon, _ANSWERING)
        self.honesty = self._phrases(lexicon, _HONESTY)
        self.claims = self._phrases(lexicon, _CLAIMS)
        self.light = frozenset(lexicon.light)
        self.negation = frozenset(lexicon.negation)
        self.numbers = _values(lexicon.numbers, "numbers")
        self.scales = _values(lexicon.scales, "scales")
        self.ordinals = _values(lexicon.ordinals, "ordinals")
        self.months = {word: step + 1 for step, words in enumerate(lexicon.months) for word in words.split("|")}
        self.month_names = {number: word for word, number in reversed(self.months.items())}
        self.weekdays = {word: words.split("|")[0] for words in lexicon.weekdays for word in words.split("|")}
        self.weekday_names = tuple(words.split("|")[0] for words in lexicon.weekdays)
        values = self.ordinals | {word: value for word, value in self.numbers.items() if value}
        self.plain = {word: str(value) for word, value in values.items() if value}
        """One form for a number however it is worded."""
        self.counting = frozenset({*self.numbers, *self.ordinals, *self.months, *self.weekdays})
        self.figures = self.counting.union(self.scales)
        self.vocabulary = self.figures.union(
            self.consent.known, self.question.known, self.heard.known, self.misheard.known, self.answering.known,
            self.honesty.known, self.claims.known,
        )  # fmt: skip
        """Every word that the lexicon names."""
        self.pieces = self._spellings | dict.fromkeys(_STOPS, (EDGE,))
        """What the pieces of a text are read as that are not read as they stand."""
        self.words: dict[str, Read] = {}
        """Words of the vocabulary as they were written, and how they are read."""
        self.currency = frozenset(lexicon.currency)
        self.cents = frozenset(lexicon.cents)

    def expand(self, word: str) -> tuple[str, ...]:
        """Return the full form of a folded word, such as `do not` for `don't`."""
        return self._spellings.get(word) or (word,)

    def _phrases(
        self, lexicon: Lexicon, names: Iterable[str], more: dict[str, tuple[str, ...]] | None = None
    ) -> Phrases:
        lists: dict[str, tuple[str, ...]] = {name: getattr(lexicon, name) for name in names}
        return Phrases(lists | (more or {}), self._classes, self.expand)


def _spellings(lexicon: Lexicon) -> dict[str, tuple[str, ...]]:
    """Map each written form, with and without its apostrophe, to the words it is read as."""
    needed = frozenset(lexicon.apostrophe_needed)
    table: dict[str, tuple[str, ...]] = {}
    for entry in lexicon.spellings:
        written, read = _pair(entry, "=", "spellings")
        table[written] = tuple(read.split())
        if "'" in written and written not in needed:
            table[written.replace("'", "")] = tuple(read.split())
    return table


def _echoes(entries: Iterable[str]) -> tuple[dict[str, frozenset[str]], dict[str, tuple[str, ...]]]:
    """Split `echo_for` into the words a question must have and the patterns, both by list name."""
    keys: dict[str, frozenset[str]] = {}
    patterns: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        words, pattern = _pair(entry, ":", "echo_for")
        name = f"echo_for {words}"
        keys[name] = frozenset(words.split())
        patterns[name] = (*patterns.get(name, ()), pattern)
    return keys, patterns


def _pair(entry: str, sign: str, field: str) -> tuple[str, str]:
    left, found, right = fold(entry).partition(sign)
    if not found or not left.strip() or not right.strip():
        raise ConfigError(f"the entry {entry!r} has no two sides", field=field, accepted=f"left{sign}right")
    return left.strip(), right.strip()


def _values(entries: Iterable[str], field: str) -> dict[str, int]:
    table: dict[str, int] = {}
    for entry in entries:
        word, value = _pair(entry, "=", field)
        if not value.isdecimal():
            raise ConfigError(f"the entry {entry!r} has no whole number", field=field, accepted="word=3")
        table[word] = int(value)
    return table
