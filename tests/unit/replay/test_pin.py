"""A pinned call decides as the recorded one did, and names nobody."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.fakes.rig import BOOK, Rig, shipped
from tests.replay.golden import CALLS, load, load_release_blob

from voicewarden.kernel.release import Compiled, encode_release
from voicewarden.model import event as events
from voicewarden.model.canonical import digest_of
from voicewarden.model.error import LedgerError
from voicewarden.model.record import Record
from voicewarden.policy.ast import Argument, FactType
from voicewarden.replay import redaction
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.replay.golden import check_golden, read_golden, write_golden
from voicewarden.replay.pin import Pinned, pin_call
from voicewarden.replay.redaction import Redactor

replace = msgspec.structs.replace
PRIVATE = ("Xaver", "Quillfeather", "quillfeather", "Zollikon", "5550199", "four four seven one")


def releases(release: Compiled | None = None) -> Releases:
    return Releases(lambda _: encode_release((release or shipped()).data))


def with_notes() -> Compiled:
    """A policy under which a model may pass free text, and a record may say a name."""
    data = shipped().data
    book = data.policy.actions["book"]
    args = (*book.args, Argument(name="note", kind="text", optional=True))
    actions = {**data.policy.actions, "book": replace(book, args=args)}
    facts = {**data.policy.facts, "surname": FactType(kind="text")}
    return Compiled(replace(data, policy=replace(data.policy, actions=actions, facts=facts)))


def private_call() -> Rig:
    """A call that is full of what identifies somebody."""
    rig = Rig(with_notes(), facts={"surname": "Quillfeather", "crm_id": "Quillfeather-5550199"})
    rig.hear("Hi, this is Xaver Quillfeather from Zollikon, my number is 555 01 99, or four four seven one.")
    rig.propose("Mr. Quillfeather, is it 555 01 99?")
    rig.happen(events.FactLearned, fact="surname", value="Quillfeather", source="crm of Zollikon")
    rig.play()
    rig.question(**BOOK, note="Xaver lives in Zollikon")
    rig.hear("yes, book it")
    rig.receipt(rig.grants[0], "done", person="Xaver Quillfeather", place="Zollikon")
    for digit in "4539":
        rig.press(digit)
    rig.happen(events.CallsPaused, epoch=2, operator="Xaver")
    return rig


def pinned(rig: Rig, **options: Any) -> Pinned:
    return pin_call(rig.records, releases(rig.release), "a", **options)


def written(records: tuple[Record, ...]) -> str:
    return "\n".join(record.body.decode() for record in records)


def decided(records: Any) -> list[tuple[str, str, list[str]]]:
    bodies = [json.loads(record.body) for record in records if record.kind == "decision"]
    told = [(body["action"], body["verdict"], [reason["rule"] for reason in body["reasons"]]) for body in bodies]
    # An action that nobody knows is whatever the model wrote.
    return [("?" if "kernel.default_deny" in rules else action, verdict, rules) for action, verdict, rules in told]


def test_a_pinned_call_names_nobody() -> None:
    rig = private_call()
    before = written(tuple(rig.records))
    assert all(secret in before for secret in ("Xaver", "Quillfeather", "Zollikon", "555 01 99", "four four seven one"))
    after = written(pinned(rig).records)
    digits = after.replace(" ", "")
    assert [secret for secret in PRIVATE if secret in after or secret in digits] == []
    assert '"contact":"redacted"' in after and "c1/" not in after


def test_a_pinned_call_decides_as_it_did() -> None:
    rig = private_call()
    made = pinned(rig)
    assert decided(made.records) == decided(rig.records)
    assert any(verdict == "allow" and action == "book" for action, verdict, _ in decided(made.records))
    assert replay_call(made.records, releases(rig.release)).difference is None
    assert made.needed == () and made.replaced >= 5


def test_keys_that_mean_nothing_are_not_kept() -> None:
    bodies = [json.loads(record.body) for record in pinned(private_call()).records]
    digits = [body["digit"] for body in bodies if body.get("event") == "DtmfPressed"]
    assert (len(set(digits[:3])), digits[3]) == (1, "9")
    keys = shipped().data.policy.keys
    assert not set(digits[:3]) & {"1", "4", "9", *((keys.no, keys.person) if keys else ())}


def test_what_the_release_says_itself_stays() -> None:
    said = written(pinned(private_call()).records)
    assert "yes, book it" in said and "this is" in said and "my number is" in said


def test_the_same_word_stays_the_same_word() -> None:
    bodies = [json.loads(record.body) for record in pinned(private_call()).records]
    named = next(body["text"] for body in bodies if body.get("event") == "CallerSpoke").split()
    surname = named[named.index("from") - 1]
    assert surname not in ("Quillfeather", "quillfeather") and surname[0].isupper()
    proposed = next(body["text"] for body in bodies if body.get("event") == "SentenceProposed")
    assert surname in proposed
    facts = next(body["facts"] for body in bodies if body.get("event") == "CallStarted")
    assert facts["surname"] == surname and "crm_id" not in facts


def test_words_and_text_of_a_segment_stay_alike() -> None:
    bodies = [json.loads(record.body) for record in pinned(private_call()).records]
    for body in (body for body in bodies if body.get("event") == "CallerSpoke"):
        assert " ".join(word[0] for word in body["words"]) == body["text"]


def test_two_pins_of_a_call_invent_other_words() -> None:
    one, other = (written(pinned(private_call()).records) for _ in range(2))
    assert one != other


def test_all_words_can_be_kept() -> None:
    rig = private_call()
    assert list(pinned(rig, redact=False).records) == rig.records


def test_a_word_without_which_it_decides_otherwise_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for a postcode makes the ear wait longer: without the word, it would not."""
    monkeypatch.setattr(redaction, "_KNOWN_TO_READINGS", frozenset())
    rig = Rig()
    rig.hear("this is Quillfeather")
    rig.propose("What is your postcode, Quillfeather?")
    rig.play()
    made = pinned(rig)
    assert "postcode" in made.needed and "quillfeather" not in made.needed
    assert "Quillfeather" not in written(made.records)
    kept = pinned(rig, keep=made.needed)
    assert kept.needed == () and "postcode" in written(kept.records)


def test_a_call_that_does_not_replay_is_no_test() -> None:
    rig = private_call()
    with pytest.raises(LedgerError, match="does not replay"):
        pin_call(rig.records[1:], releases(rig.release), "a")


@pytest.mark.parametrize("path", sorted(CALLS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_every_golden_call_can_be_pinned(path: Path) -> None:
    records = load(path)
    made = pin_call(records, Releases(load_release_blob), "again")
    assert made.needed == () and decided(made.records) == decided(records)


def redactor(**options: Any) -> Redactor:
    return Redactor(with_notes(), "c1", "pinned-a", b"key", **options)


@pytest.mark.parametrize(
    "text",
    [
        "on 2026-12-01T15:00 please",
        "no, I don't",
        "I don\u2019t want that",
        "yes, go ahead",
        "on Tuesday at three",
        "it costs 49 dollars",
        "one or two",
    ],
)
def test_times_numbers_and_known_words_stay(text: str) -> None:
    assert redactor().text(text) == text


@pytest.mark.parametrize("text", ["+1 (555) 010-0199", "1985.03.02.77", "five five five zero one nine nine"])
def test_long_numbers_are_replaced_in_their_form(text: str) -> None:
    after = redactor().text(text)
    assert after != text and [char.isalnum() for char in after if not char.isalpha()] == [
        char.isalnum() for char in text if not char.isalpha()
    ]


def test_case_stays_and_letters_that_are_spelled_stay_letters() -> None:
    after = redactor().text("QUILLFEATHER, Quillfeather, q")
    loud, proper, letter = after.split(", ")
    assert loud.isupper() and proper.istitle() and loud.lower() == proper.lower() and len(letter) == 1


@pytest.mark.parametrize("name", ["\u0130zmir", "Stra\u00dfe", "\u041e\u043b\u044c\u0433\u0430", "\u738b\u5c0f\u660e"])
def test_names_in_any_script_are_replaced(name: str) -> None:
    assert name not in redactor().text(f"yes, {name} here")


def test_words_to_keep_are_kept() -> None:
    assert redactor(keep=("Quillfeather",)).text("quillfeather Zollikon").startswith("quillfeather ")


def test_an_approval_follows_its_arguments() -> None:
    red = redactor()
    args = {**BOOK, "note": "for Quillfeather"}
    ask = events.ActionRequested(at_ms=1, request="r1", action="book", args=args, principal="booking")
    other = red.event(ask)
    assert isinstance(other, events.ActionRequested) and other.args["start"] == BOOK["start"]
    approved = red.event(events.OperatorApproved(at_ms=2, digest=digest_of(args), operator="Xaver", action="book"))
    assert isinstance(approved, events.OperatorApproved)
    assert (approved.digest, approved.operator) == (digest_of(other.args), "operator")


def test_a_call_is_stored_read_and_checked(tmp_path: Path) -> None:
    rig = private_call()
    made = pinned(rig)
    path = write_golden(tmp_path, "a", made.records, made.release)
    assert read_golden(path) == list(made.records)
    (checked,) = check_golden(tmp_path)
    assert (checked.name, checked.replayed.ok) == ("a", True)


def test_a_golden_call_that_was_changed_fails(tmp_path: Path) -> None:
    made = pinned(private_call())
    path = write_golden(tmp_path, "a", made.records, made.release)
    path.write_text(path.read_text().replace('"verdict":"confirm"', '"verdict":"allow"', 1))
    (checked,) = check_golden(tmp_path)
    assert checked.replayed.difference is not None and not checked.replayed.ok


def test_a_golden_call_without_its_release_fails(tmp_path: Path) -> None:
    made = pinned(private_call())
    write_golden(tmp_path, "a", made.records, made.release)
    next((tmp_path / "releases").iterdir()).unlink()
    (checked,) = check_golden(tmp_path)
    assert "release" in checked.replayed.note and not checked.replayed.ok


@pytest.mark.parametrize("text", ["{}\n", "no json\n", '{"seq":0}\n'])
def test_a_file_that_is_no_golden_call_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(LedgerError, match="line 1"):
        read_golden(tmp_path / "a.jsonl")


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no golden calls"):
        list(check_golden(tmp_path))
