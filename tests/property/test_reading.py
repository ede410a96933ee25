"""The room's laws: every function is total and deterministic, and there is never a yes without the words."""

from pathlib import Path

import msgspec
import yaml
from hypothesis import given
from hypothesis import strategies as st

from voicewarden.reading import answering, claims, consent, heard, honesty, number
from voicewarden.reading.lexicon import Lexicon, Reader
from voicewarden.reading.sentence import Cutter, split
from voicewarden.reading.speakable import say_value
from voicewarden.reading.text import _TABLE, _TOKEN, fold, fold_with_offsets, folded_tokens

LEXICON = Path(__file__).resolve().parents[2] / "config" / "lexicons" / "en.yaml"
DATA = msgspec.convert(yaml.safe_load(LEXICON.read_text(encoding="utf-8")), Lexicon)
READER, OTHER_READER = Reader(DATA), Reader(DATA)
BOOK = "Shall I book a haircut for Tuesday the first of December at 3 pm? Please say: yes, book it. Or press one."
COMMON = (
    "yes yeah no not book it but if maybe okay sure stop calling me don't take off your list please what "
    "Wednesday three 3 pm 19.99 $5 dollars the first of December half past a 15% hundred thousand Yes, "
    "No. right? I'm human robot person"
).split()
WORDS = st.lists(st.one_of(st.sampled_from(COMMON), st.text(max_size=12)), max_size=12).map(tuple)
TEXTS = st.one_of(WORDS.map(" ".join), st.text(max_size=80))
CAN_AGREE = (
    "yes yeah yep ya aye sure course absolutely definitely certainly indeed affirmative precisely exactly "
    "correct means bet agreed confirm confirmed accepted approved roger doubt pleasure gladly positively "
    "undoubtedly book go do make done proceed continue put pencil sign take get reserve schedule works "
    "work suits suit right it good great perfect fine okay agree accept approve consent want need like "
    "love happy me true answer yours excellent wonderful awesome lovely sounds sound look looks that this "
    "is ready winner permission"
).split()


@given(BOOK_OR_TEXT := st.one_of(st.just(BOOK), st.just(""), TEXTS), WORDS)
def test_consent_is_total_and_deterministic(question: str, words: tuple[str, ...]) -> None:
    reading = consent.read(READER, question, words)
    assert reading == consent.read(OTHER_READER, question, words)
    assert all(0 <= index < len(words) for index in reading.deciding)
    assert list(reading.deciding) == sorted(set(reading.deciding))


@given(WORDS)
def test_never_a_yes_without_the_words_or_without_a_question(words: tuple[str, ...]) -> None:
    assert consent.read(READER, "", words).kind != "explicit"
    reading = consent.read(READER, BOOK, words)
    if reading.kind == "explicit":
        said = fold(" ".join(words[index] for index in reading.deciding))
        assert reading.deciding
        assert any(word in said for word in CAN_AGREE)


@given(
    WORDS, st.sampled_from(("stop calling me", "take me off your list", "no", "not now", "if I can", "maybe", "what"))
)
def test_what_lowers_always_lowers(words: tuple[str, ...], lowering: str) -> None:
    for spoiled in ((*words, ".", *lowering.split()), (*lowering.split(), ".", *words)):
        assert consent.read(READER, BOOK, spoiled).kind != "explicit"


@given(WORDS)
def test_signals_and_cues_are_total(words: tuple[str, ...]) -> None:
    signals = heard.signals(READER, words)
    assert signals == heard.signals(OTHER_READER, words)
    for told in (*signals, *answering.read(READER, words)):
        assert told.words
        assert all(0 <= index < len(words) for index in told.words)


@given(TEXTS)
def test_claims_are_total_and_a_text_grounds_itself(text: str) -> None:
    found = claims.claims(READER, text)
    allowed = claims.values(READER, text)
    for claim in found:
        assert 0 <= claim.start < claim.end <= len(text)
        assert claim.value in allowed
    assert found == claims.claims(OTHER_READER, text)
    honesty.refusals(READER, text, ("denies_ai", "private_data", "unheard_of"))


@given(TEXTS, TEXTS, TEXTS)
def test_what_is_ungrounded_are_the_claims_that_nothing_grounds(text: str, one: str, other: str) -> None:
    allowed = claims.values(READER, one), claims.values(READER, other)
    found = claims.claims(READER, text)
    expected = tuple(claim.value for claim in found if not any(claim.value in known for known in allowed))
    assert claims.ungrounded(READER, text, *allowed) == expected


@given(st.datetimes())
def test_a_spoken_moment_is_grounded_by_its_value(moment: object) -> None:
    value = str(moment)[:16].replace(" ", "T")
    allowed = claims.values(READER, value)
    found = claims.claims(READER, say_value(value))
    assert len(found) >= 3
    assert all(claim.value in allowed for claim in found)


@given(st.lists(st.text(alphabet="ab .!?,3-\n", max_size=30), max_size=8), st.integers(5, 60), st.booleans())
def test_cutting_loses_nothing(chunks: list[str], max_chars: int, first_clause: bool) -> None:
    cutter = Cutter(max_chars=max_chars, first_clause=first_clause)
    units = [unit for chunk in chunks for unit in cutter.feed(chunk)]
    units.extend(cutter.flush())
    assert "".join("".join(units).split()) == "".join("".join(chunks).split())
    assert all(unit.strip() == unit != "" for unit in units)


@given(st.text(max_size=60))
def test_folding_is_stable(text: str) -> None:
    plain, offsets = fold_with_offsets(text)
    assert plain == fold(text)
    assert len(offsets) == len(plain) + 1
    assert fold(plain) == plain
    assert "".join("".join(split(text)).split()) == "".join(text.split())
    say_value(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_the_quick_way_of_folding_ascii_is_the_table(text: str) -> None:
    assert fold(text) == text.translate(_TABLE)


@given(st.text(st.sampled_from("ab'' 1.-\t\x1c\x00Z")))
def test_the_quick_way_of_finding_words_is_the_pattern(text: str) -> None:
    plain = fold(text)
    assert folded_tokens(plain) == tuple(token.rstrip("'") for token in _TOKEN.findall(plain))


@given(TEXTS)
def test_no_figure_starts_where_none_is_looked_for(text: str) -> None:
    parts = number.pieces(text)
    assert len(parts) == len(number.places(text))
    starts = set(claims._starts(READER, parts))
    for at in set(range(len(parts))) - starts:
        assert claims._claim_at(READER, parts, at, frozenset()) == (None, at + 1)


@given(st.text(st.sampled_from('ab .!?,3pm\n")Mr')))
def test_a_whole_text_is_cut_as_a_stream_is(text: str) -> None:
    cutter = Cutter(max_chars=len(text) + 1)
    assert split(text) == (*cutter.feed(text), *cutter.flush())
