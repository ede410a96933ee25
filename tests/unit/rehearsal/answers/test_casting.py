"""Which clips there are: splits that share nothing, an order that holds, and a mix that is there from the start."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from voicewarden.rehearsal.answers import casting, speakers, texts
from voicewarden.rehearsal.answers.casting import MIX_PERMILLE, roles
from voicewarden.rehearsal.answers.speakers import SPEAKERS


def test_no_voice_is_in_both_splits() -> None:
    fit, test = ({one.origin for one in SPEAKERS if one.split == split} for split in ("fit", "test"))
    assert fit and test and not fit & test


def test_no_wording_is_in_both_splits() -> None:
    fit, test = (list(texts.written(split)) for split in ("fit", "test"))
    assert not {text.words for text in fit} & {text.words for text in test}
    assert not {(text.verdict, text.family) for text in fit} & {(text.verdict, text.family) for text in test}


@pytest.mark.parametrize("split", ["fit", "test"])
def test_every_shape_is_in_both_splits(split: speakers.Split) -> None:
    shapes = {(text.verdict, text.shape) for text in texts.written(split)}
    assert {verdict for verdict, _ in shapes} == {"human", "voicemail", "menu", "screening", "unavailable"}
    assert len({shape for verdict, shape in shapes if verdict == "human"}) == 8


def test_there_are_enough_texts() -> None:
    both = [text for split in ("fit", "test") for text in texts.written(split)]  # type: ignore[arg-type]  # literals
    counts = Counter(text.verdict for text in both)
    assert counts["human"] >= 60
    assert sum(counts.values()) - counts["human"] >= 60


def test_a_longer_list_begins_with_the_shorter_one() -> None:
    short = [role.name for role in itertools.islice(roles("test"), 30)]
    assert [role.name for role in itertools.islice(roles("test"), 60)][:30] == short


def test_names_are_never_used_twice() -> None:
    names = [role.name for role in itertools.islice(roles("test"), 3_000)]
    assert len(set(names)) == len(names)


def test_another_seed_is_another_order() -> None:
    first, second = ([role.name for role in itertools.islice(roles("test", seed), 40)] for seed in (0, 1))
    assert first != second


def test_the_mix_is_there_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a voice that needs nothing installed."""
    voice = speakers.Speaker(id="ours", origin="ours", split="test", kind="synthetic")
    monkeypatch.setattr(casting.speakers, "speakers", lambda split: (voice,))
    monkeypatch.setattr(casting.speakers, "music", lambda: ("a piece",))
    dealt = Counter(role.verdict for role in itertools.islice(roles("test"), 100))
    assert dealt == {verdict: share // 10 for verdict, share in MIX_PERMILLE.items()}


def test_without_any_voice_there_are_still_tones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(casting.speakers, "speakers", lambda split: ())
    monkeypatch.setattr(casting.speakers, "music", lambda: ())
    dealt = {role.sound for role in itertools.islice(roles("test"), 40)}
    assert dealt == {"fax calls", "fax answers", "busy", "reorder", "nothing", "noise", "clicks", "ringing on"}


def test_half_of_the_announcements_have_information_tones() -> None:
    announced = [casting._tones("unavailable", f"clip {number}") for number in range(400)]
    assert 160 <= sum(bool(kind) for kind in announced) <= 240
    assert casting._tones("voicemail", "clip") == ""
