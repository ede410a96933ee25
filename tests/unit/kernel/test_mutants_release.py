"""A release made ready: its bytes, the figures that may be named on a day, and what is read before the first caller."""

from datetime import date

import msgspec
import pytest
from tests.fakes.rig import release_of, shipped

from voicewarden.kernel import release as module
from voicewarden.kernel.release import ApprovedFact, Compiled, Release, decode_release, encode_release
from voicewarden.model.canonical import canonical_bytes, digest_of
from voicewarden.policy.ast import FactType

EPOCH = date(1970, 1, 1).toordinal()


def with_facts(*facts: ApprovedFact) -> Compiled:
    plain = release_of("outbound-sales")
    return Compiled(msgspec.structs.replace(plain, facts=facts, lines={"one": "We open at 9 am."}, catalogue={
        "services": {"cut 7": "a cut for 30 dollars"}
    }))  # fmt: skip


def test_a_release_is_its_canonical_bytes() -> None:
    release = release_of("outbound-sales")
    assert encode_release(release) == canonical_bytes(release)
    assert decode_release(encode_release(release)) == release
    assert isinstance(decode_release(encode_release(release)), Release)


def test_a_compiled_release_carries_its_hash_policies_and_declared_facts() -> None:
    data = release_of("outbound-sales")
    assert (shipped().hash, shipped().data, shipped().shadow) == (digest_of(data), data, None)
    assert shipped().declared == data.policy.facts
    assert shipped().policy.policy == data.policy and shipped().policy.second_opinion is False
    extra = {"weather": FactType(kind="bool"), "quote_open": FactType(kind="int")}
    shadow = msgspec.structs.replace(data.policy, facts=extra)
    both = Compiled(msgspec.structs.replace(data, shadow=shadow), second_opinion=True)
    assert both.shadow is not None and both.shadow.policy == shadow and both.policy.second_opinion is True
    assert both.declared == {**extra, **data.policy.facts}


def test_figures_of_lines_and_lists_hold_on_every_day() -> None:
    release = with_facts()
    for day in (0, 20_000, 3_000_000):
        assert {"time:09:00", "price:30", "number:7"} <= release.grounded(day)
    assert release.grounded(20_000) is release.grounded(20_000)


@pytest.mark.parametrize(("day", "holds"), [("2026-11-30", True), ("2026-12-01", True), ("2026-12-02", False)])
def test_a_fact_holds_up_to_its_last_day(day: str, holds: bool) -> None:
    release = with_facts(
        ApprovedFact(id="a", text="It costs 44 dollars.", valid_until="2026-12-01"),
        ApprovedFact(id="b", text="It takes 55 minutes."),
    )
    grounded = release.grounded(date.fromisoformat(day).toordinal() - EPOCH)
    assert ("price:44" in grounded) is holds and "number:55" in grounded


def test_a_day_beyond_the_calendar_is_its_last() -> None:
    release = with_facts(ApprovedFact(id="a", text="It costs 44 dollars.", valid_until="9999-12-31"))
    assert "price:44" in release.grounded(10_000_000)


def test_warming_up_reads_what_every_call_will_read(monkeypatch: pytest.MonkeyPatch) -> None:
    release, seen = shipped(), []
    for name in ("claims", "refusals"):
        monkeypatch.setattr(module, name, lambda *given, name=name: seen.append((name, *given)))
    for name, room in (("read", module.consent), ("signals", module.heard), ("read", module.answering)):
        monkeypatch.setattr(room, name, lambda *given, room=room: seen.append((room.__name__, *given)))
    release.warm_up()
    reader, data = release.reader, release.data
    assert all(given[1] is reader for given in seen)
    lines = [("claims", reader, text) for text in data.lines.values()]
    lines += [("refusals", reader, text, data.policy.speech.refuse) for text in data.lines.values()]
    assert sorted(map(repr, lines)) == sorted(repr(given) for given in seen if given[0] in ("claims", "refusals"))
    read = [given for given in seen if given[0].endswith("consent")]
    words = {given[3] for given in read}
    assert {given[2] for given in read} == {rule.question for rule in data.policy.actions.values()}
    for room in ("heard", "answering"):
        assert {given[2] for given in seen if given[0].endswith(room)} == words and len(words) > 5
