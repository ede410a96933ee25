"""Old shapes are turned into today's, and what is stored is never touched."""

import json
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from tests.fakes.rig import Rig, shipped

from voicewarden.kernel.release import encode_release
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.error import LedgerError
from voicewarden.model.record import Record, make_record
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.replay.release_blob import compile_blob
from voicewarden.replay.upcaster import Shape, Upcasters


def heard_to_spoke(shape: Shape) -> Shape:
    """`CallerHeard` had its words as plain texts, all as sure as each other."""
    words = shape.pop("said")
    sure, from_ms = shape.pop("permille"), shape.pop("from_ms")
    shape |= {"event": "CallerSpoke", "text": " ".join(words)}
    shape["words"] = [[word, sure, from_ms + 300 * at, from_ms + 300 * (at + 1)] for at, word in enumerate(words)]
    return shape


def said_to_heard(shape: Shape) -> Shape:
    return {**shape, "event": "CallerHeard"}


def spoken_to_told(shape: Shape) -> Shape:
    return {**shape, "directive": "Speak"}


OLD = Upcasters(
    {
        ("event", "CallerHeard"): heard_to_spoke, ("event", "CallerSaid"): said_to_heard,
        ("directive", "SayAloud"): spoken_to_told,
    }
)  # fmt: skip


def aged(records: list[Record], change: Any) -> list[Record]:
    """The same call as an older version would have stored it: other bodies, a chain over them."""
    made: list[Record] = []
    for record in records:
        body = json.loads(record.body)
        older = canonical_bytes(change(record, body) or body)
        last = made[-1].hash if made else "0" * 64
        made.append(make_record(record.stream, len(made), record.at_ms, record.kind, older, last))
    return made


def as_heard(record: Record, body: dict[str, Any]) -> dict[str, Any] | None:
    if body.get("event") != "CallerSpoke":
        return None
    words = body.pop("words")
    said = [word[0] for word in words]
    old = {key: value for key, value in body.items() if key != "text"}
    return {**old, "event": "CallerSaid", "said": said, "permille": 950, "from_ms": words[0][2]}


def as_spoken(record: Record, body: dict[str, Any]) -> dict[str, Any] | None:
    return {**body, "directive": "SayAloud"} if body.get("directive") == "Speak" else None


@pytest.fixture(scope="module")
def call() -> list[Record]:
    rig = Rig()
    rig.question()
    rig.hear("yes, book it")
    return rig.records


@pytest.fixture(scope="module")
def releases() -> Releases:
    return Releases(lambda name: encode_release(shipped().data))


def test_an_event_of_an_old_shape_replays_over_all_its_versions(call: list[Record], releases: Releases) -> None:
    old = aged(call, as_heard)
    assert any(b"CallerSaid" in record.body for record in old)
    assert replay_call(old, releases, upcasters=OLD).difference is None


def test_without_its_upcaster_it_can_not_be_read(call: list[Record], releases: Releases) -> None:
    old = aged(call, as_heard)
    difference = replay_call(old, releases).difference
    assert difference is not None and b"CallerSaid" in old[difference.seq].body


def test_what_was_put_out_in_an_old_shape_is_the_same(call: list[Record], releases: Releases) -> None:
    old = aged(call, as_spoken)
    assert replay_call(old, releases).difference is not None
    assert replay_call(old, releases, upcasters=OLD).difference is None


def test_an_old_shape_that_says_something_else_is_found(call: list[Record], releases: Releases) -> None:
    def lied(record: Record, body: dict[str, Any]) -> dict[str, Any] | None:
        old = as_spoken(record, body)
        return None if old is None else {**old, "text": "something else"}

    assert replay_call(aged(call, lied), releases, upcasters=OLD).difference is not None


def test_the_chain_goes_over_what_is_stored(call: list[Record], releases: Releases) -> None:
    old = aged(call, as_heard)
    at = next(index for index, record in enumerate(old) if b"CallerSaid" in record.body)
    touched = msgspec.structs.replace(old[at], body=old[at].body.replace(b"950", b"951"))
    difference = replay_call([*old[:at], touched, *old[at + 1 :]], releases, upcasters=OLD).difference
    assert difference is not None and difference.seq == at


def test_a_name_of_today_is_left_alone() -> None:
    assert OLD.today("event", b'{"event":"CallerSpoke"}') is None
    assert OLD.today("event", b"[]") is None
    assert OLD.today("event", b"\xff") is None
    assert Upcasters({}).today("event", b'{"event":"CallerSaid"}') is None


def test_upcasters_that_lead_in_a_ring_are_an_error() -> None:
    ring = Upcasters({("event", "A"): lambda _: {"event": "B"}, ("event", "B"): lambda _: {"event": "A"}})
    with pytest.raises(ValueError, match="ring"):
        ring.today("event", b'{"event":"A"}')


def test_a_kind_without_names_has_one_old_shape() -> None:
    decisions = Upcasters({("decision", ""): lambda shape: {**shape, "stage": "bounded"}})
    assert decisions.today("decision", b'{"seq":1}') == b'{"seq":1,"stage":"bounded"}'


def older_release(**fields: Any) -> tuple[str, bytes]:
    """The shipped release as another version might have spelled it, and the hash of those bytes."""
    tree = json.loads(encode_release(shipped().data))
    tree["policy"]["actions"]["book"]["cooldown_ms"] = 0
    data = canonical_bytes({**tree, **fields})
    return sha256(data).hexdigest(), data


def test_a_release_that_was_spelled_otherwise_goes_by_the_hashes_that_it_had() -> None:
    name, data = older_release()
    assert name != shipped().hash
    release = compile_blob(name, data)
    assert release.data == shipped().data
    rig = Rig(release)
    rig.question()
    assert replay_call(rig.records, Releases(lambda _: data)).difference is None
    policies = {body["policy"] for record in rig.records if "policy" in (body := json.loads(record.body))}
    spelled = canonical_bytes(json.loads(data)["policy"])
    assert policies == {sha256(spelled).hexdigest()} != {shipped().policy.hash}


def test_a_release_of_an_old_shape_is_turned_into_one_of_today() -> None:
    name, data = older_release(greeting="gone since")
    with pytest.raises(LedgerError, match="shape"):
        compile_blob(name, data)
    forgets = Upcasters({("release", ""): lambda shape: {key: shape[key] for key in shape if key != "greeting"}})
    assert compile_blob(name, data, forgets).data == shipped().data


def test_a_release_under_a_wrong_hash_is_an_error() -> None:
    with pytest.raises(LedgerError, match="content"):
        compile_blob("0" * 64, older_release()[1])
