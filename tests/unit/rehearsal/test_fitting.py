"""Fitting the weights of who answered, on moments made here."""

from pathlib import Path

import pytest

from voicewarden.config.answerer_document import load_answerer
from voicewarden.kernel.weights import weight_of
from voicewarden.model.action import AnswererVerdict
from voicewarden.rehearsal.fitting.answerer_file import RHYTHM_AT_MOST, Evidence, text_of
from voicewarden.rehearsal.fitting.moments import CUES, RHYTHM_FEATURES, Heard, Moment
from voicewarden.rehearsal.fitting.regression import EDGES, fit
from voicewarden.rehearsal.fitting.thresholds import Thresholds, choose, decided, held_out, total, walk

EVIDENCE = Evidence(
    version="1", seed=0, date="2026-01-01", packages=("numpy 2",), found={"people": "0 of 1"},
    fit={"clips": 2, "humans": 1, "voices": 1, "texts": 1}, test={"clips": 0, "humans": 0, "voices": 0, "texts": 0},
)  # fmt: skip


def said(at_ms: int, speech_ms: int, quiet_ms: int = 0, cue: str = "", words: int = 0) -> Moment:
    rhythm = {"longest_run_ms": speech_ms, "bursts": 1, "longest_gap_ms": 0}
    rhythm |= {"said_ms": speech_ms, "quiet_ms": quiet_ms} if quiet_ms >= 400 else {"saying_ms": speech_ms}
    return Moment(at_ms=at_ms, rhythm=rhythm, cue=cue, words=words, tone="", is_quiet=quiet_ms >= 400)


def heard(verdict: AnswererVerdict, family: str, *moments: Moment, greeting_end_ms: int = 600) -> Heard:
    return Heard(
        name=family, verdict=verdict, voice="v", family=family, onset_ms=0, greeting_end_ms=greeting_end_ms,
        deadline_ms=3_500, moments=moments,
    )  # fmt: skip


def people(count: int) -> list[Heard]:
    steps = (said(500, 400), said(800, 600, 200), said(1_300, 600, 700, "greeting", 1))
    return [heard("human", f"p{number}", *steps) for number in range(count)]


def machines(count: int) -> list[Heard]:
    steps = (said(500, 400), said(1_500, 1_400), said(2_900, 2_800), said(3_100, 3_000, 0, "mailbox", 7))
    return [heard("voicemail", f"m{number}", *steps, greeting_end_ms=8_000) for number in range(count)]


def test_every_feature_and_cue_of_the_table_is_fitted() -> None:
    fitted = fit([*people(5), *machines(5)])
    assert set(fitted.rhythm) == set(RHYTHM_FEATURES) == set(EDGES) - {"words"}
    assert set(fitted.cues) == set(CUES)


def test_what_people_do_speaks_for_people_and_the_same_clips_give_the_same_integers() -> None:
    fitted = fit([*people(20), *machines(20)])
    assert fitted == fit([*people(20), *machines(20)])
    assert weight_of(fitted.rhythm["said_ms"], 600) < 0 < weight_of(fitted.rhythm["longest_run_ms"], 2_900)
    assert fitted.cues["greeting"] < 0 < fitted.cues["mailbox"]


def test_people_and_machines_are_told_apart_on_clips_that_were_held_out() -> None:
    clips = [*people(20), *machines(20)]
    found = choose(held_out(clips, RHYTHM_AT_MOST))
    fitted = fit(clips)
    verdicts = {
        clip.verdict: decided(clip, walk(clip, fitted, RHYTHM_AT_MOST), found.human_at, found.machine_at)
        for clip in clips
    }
    assert verdicts == {"human": ("human", 1_300), "voicemail": ("machine", 3_100)}
    assert found.cost_permille == 0


def test_the_rhythm_alone_stays_under_its_limit() -> None:
    fitted = fit([*people(50), *machines(50)])
    assert total(said(3_400, 60_000), fitted, 100) <= 100


def test_a_tone_of_the_line_teaches_nothing() -> None:
    tone = Moment(at_ms=900, rhythm={"saying_ms": 800}, cue="", words=0, tone="sit", is_quiet=False)
    clips = [*people(5), *machines(5)]
    assert fit([*clips, heard("unavailable", "u", tone)]) == fit(clips)


def test_the_file_that_is_written_is_one_that_is_read(tmp_path: Path) -> None:
    fitted = fit([*people(5), *machines(5)])
    text = text_of(fitted, Thresholds(-75, 290, 0), EVIDENCE)
    (tmp_path / "calibration").mkdir()
    (tmp_path / "calibration" / "answerer.yaml").write_text(text, encoding="utf-8")
    weights = load_answerer(tmp_path)
    assert weights is not None
    assert (weights.human_at, weights.machine_at, weights.rhythm, weights.cues) == (
        -75, 290, fitted.rhythm, fitted.cues,
    )  # fmt: skip


def test_a_configuration_without_the_file_weighs_as_before(tmp_path: Path) -> None:
    assert load_answerer(tmp_path) is None


@pytest.mark.parametrize("cue", CUES[:4])
def test_words_of_a_recording_decide_in_the_shipped_table_beside_any_speech(cue: str) -> None:
    weights = load_answerer(Path(__file__).resolve().parents[3] / "config")
    assert weights is not None
    assert weights.cues[cue] >= weights.machine_at > weights.rhythm_at_most
    assert weights.tones["fax"] >= weights.revise_at <= weights.tones["beep_after_speech"]
