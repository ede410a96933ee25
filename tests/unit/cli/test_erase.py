"""The commands that erase, hold, retain and hand out recordings: what they print and with which code they end."""

import json
from pathlib import Path

import pytest
from tests.fakes.rig import TOP
from tests.fakes.sealed import open_vault, seal_records
from tests.replay.golden import load, load_release_blob
from typer.testing import CliRunner, Result

from voicewarden.cli.main import app
from voicewarden.cli.retain import retain_and_tell
from voicewarden.ledger.forgetting import forgotten
from voicewarden.ledger.retention import Period
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.verify import verify
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.error import VoicewardenError
from voicewarden.model.event import RecordingStored
from voicewarden.model.record import make_record

CALLS = [load(TOP / "tests" / "calls" / f"{name}.jsonl") for name in ("booked", "refused")]
CALL = CALLS[0][0].stream.removeprefix("call:")
SOUND = b"RIFF and what was said"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A sealed ledger with a recording, in a folder with settings and two people."""
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as opened:
        vault = open_vault(path)
        opened.seal_with(vault)
        for records in CALLS:
            opened.put_blob(load_release_blob(json.loads(records[0].body)["release"]))
            keys = vault.make(records[0].stream, 5)
            made = seal_records(records, keys.words)
            last = made[-1]
            body = canonical_bytes(
                RecordingStored(at_ms=last.at_ms, blob=opened.put_blob(keys.audio.seal(SOUND)), from_ms=0, ms=9)
            )
            opened.submit([*made, make_record(last.stream, last.seq + 1, last.at_ms, "event", body, last.hash)])
        opened.flush()
    (tmp_path / "voicewarden.yaml").write_text(
        "policy: outbound-sales\nvar_dir: .\nretention: {words_days: 365, words_why: law, audio_days: 30, "
        "audio_why: disputes, owner: ann}\n"
    )
    lines = [ok("keys", "person", name, "--out", tmp_path / f"{name}.pem").stdout for name in ("ann", "bob")]
    (tmp_path / "people.yaml").write_text("people:\n" + "".join(lines).replace('why: ""', 'why: "privacy"'))
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def ok(*words: object) -> Result:
    done = run(*words)
    assert done.exit_code == 0, (done.output, done.exception)
    return done


def refused(*words: object) -> str:
    """What our own error says; the entry point turns it into one line and exit 1."""
    done = run(*words)
    assert isinstance(done.exception, VoicewardenError), done.output
    return str(done.exception)


def erase(ledger: Path, *more: object) -> tuple[object, ...]:
    folder = ledger.parent
    return ("ledger", "erase", CALL, "--ledger", ledger, "--order", folder / "o.json", "--config", folder, *more)


def sign(ledger: Path, who: str) -> Result:
    folder = ledger.parent
    return ok("ledger", "sign", folder / "o.json", "--person", who, "--key", folder / f"{who}.pem", "--yes")


def test_a_call_is_erased_when_two_people_have_signed(ledger: Path) -> None:
    before = json.loads(ok("replay", ledger, "--json").stdout)
    assert (before["calls"], before["mismatches"], before["sealed"]) == (2, 0, [])
    assert "signed by nobody" in ok(*erase(ledger, "--reason", "the caller asked for it")).stdout
    assert "so far nobody did" in refused(*erase(ledger))
    assert "signed by ann" in sign(ledger, "ann").stdout
    assert "so far ann did" in refused(*erase(ledger))
    sign(ledger, "bob")
    assert f"{CALL}: 2 keys and 1 recordings destroyed, by ann and bob" in ok(*erase(ledger)).stdout
    assert "erased, intact" in ok("ledger", "verify", ledger).stdout
    after = json.loads(run("replay", ledger, "--call", CALL, "--json").stdout)
    assert after["sealed"] == [CALL] and after["mismatches"] == 0


def test_an_order_is_for_the_call_that_it_names(ledger: Path) -> None:
    ok(*erase(ledger, "--reason", "the caller asked for it", "--json"))
    folder = ledger.parent
    told = refused("ledger", "erase", "other", "--ledger", ledger, "--order", folder / "o.json", "--config", folder)
    assert f"about call {CALL}" in told


def test_without_a_list_of_people_nobody_may_erase(ledger: Path) -> None:
    ok(*erase(ledger, "--reason", "the caller asked for it"))
    (ledger.parent / "people.yaml").unlink()
    assert "nobody who may sign" in refused(*erase(ledger))


def test_a_key_stands_in_the_list_once(ledger: Path) -> None:
    ok(*erase(ledger, "--reason", "the caller asked for it"))
    people = ledger.parent / "people.yaml"
    people.write_text(people.read_text() + people.read_text().splitlines()[1] + "\n")
    assert "stands here twice" in refused(*erase(ledger))


def test_signing_asks_and_can_be_declined(ledger: Path) -> None:
    ok(*erase(ledger, "--reason", "the caller asked for it"))
    folder = ledger.parent
    words = ["ledger", "sign", str(folder / "o.json"), "--person", "ann", "--key", str(folder / "ann.pem")]
    done = CliRunner().invoke(app, words, input="n\n")
    assert done.exit_code == 1 and "for good. Reason: the caller asked for it" in done.output
    assert json.loads((folder / "o.json").read_text())["signatures"] == []


def test_a_locked_key_needs_its_passphrase(ledger: Path) -> None:
    ok(*erase(ledger, "--reason", "the caller asked for it"))
    folder = ledger.parent
    made = CliRunner().invoke(
        app, ["keys", "person", "eve", "--out", str(folder / "eve.pem"), "--passphrase"], input="secret\nsecret\n"
    )
    assert made.exit_code == 0 and "name: eve" in made.stdout and "secret" not in made.stdout
    assert (folder / "eve.pem").stat().st_mode & 0o777 == 0o600
    words = ("ledger", "sign", folder / "o.json", "--person", "eve", "--key", folder / "eve.pem", "--yes")
    assert "passphrase is missing" in refused(*words)
    locked = CliRunner().invoke(app, [str(word) for word in (*words, "--passphrase")], input="secret\n")
    assert locked.exit_code == 0 and "signed by eve" in locked.stdout
    assert "can't be written" in refused("keys", "person", "eve", "--out", folder / "eve.pem")


def test_a_hold_is_placed_listed_and_lifted(ledger: Path) -> None:
    words = ("ledger", "hold", CALL, "--ledger", ledger, "--who", "carol", "--reason", "case 7")
    assert f"{CALL}: held by carol (case 7)" in ok(*words).stdout
    assert json.loads(ok("ledger", "hold", "--ledger", ledger, "--json").stdout)[0]["who"] == "carol"
    assert "no hold stands" in ok(*words, "--lift").stdout
    assert "no hold stands on call" in refused(*words, "--lift")
    assert "needs --who and --reason" in refused("ledger", "hold", CALL, "--ledger", ledger)
    assert "no call of that id" in refused("ledger", "hold", "x", "--ledger", ledger, "--who", "c", "--reason", "r")


def test_what_is_too_old_is_erased(ledger: Path) -> None:
    settings = ("--settings", ledger.parent / "voicewarden.yaml")
    planned = json.loads(ok("ledger", "retain", ledger, *settings, "--dry-run", "--json").stdout)
    assert [(item["class"], len(item["calls"])) for item in planned] == [("audio", 2), ("words", 2)]
    assert "words: 2 calls older than 365 days would be erased" in ok(
        "ledger", "retain", ledger, *settings, "--dry-run"
    ).stdout
    assert "words: 2 calls older than 365 days were erased" in ok("ledger", "retain", *settings).stdout
    assert "words: 0 calls" in ok("ledger", "retain", *settings).stdout
    assert len(json.loads(ok("replay", ledger, "--json").stdout)["sealed"]) == 2


def test_without_a_period_everything_is_kept(ledger: Path) -> None:
    (ledger.parent / "voicewarden.yaml").write_text("policy: outbound-sales\nvar_dir: .\n")
    settings = ("--settings", ledger.parent / "voicewarden.yaml")
    assert "everything is kept" in ok("ledger", "retain", *settings).stdout


def test_a_recording_is_handed_out_until_it_is_erased(ledger: Path) -> None:
    out = ledger.parent / "call.wav"
    words = ("ledger", "recording", CALL, "--ledger", ledger, "--out", out)
    assert ok(*words).stdout.strip() == str(out)
    assert out.read_bytes() == SOUND and out.stat().st_mode & 0o777 == 0o600
    with Ledger.read(ledger) as view:
        assert view.vault is not None
        view.vault.destroy([f"call:{CALL}"], ("audio",), 1)
    assert "was erased" in refused(*words)
    assert "no recording of call x" in refused("ledger", "recording", "x", "--ledger", ledger)


def test_a_server_erases_what_is_too_old_and_says_so(ledger: Path, caplog: pytest.LogCaptureFixture) -> None:
    periods = [Period("words", 365, "law", "ann")]
    with Ledger.open(ledger) as opened:
        opened.seal_with(open_vault(ledger))
        for _ in range(2):
            retain_and_tell(opened, periods)
        assert len(forgotten(opened)) == 2 and verify(opened).ok
    retain_and_tell(opened, periods)
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "words of 2 calls were erased", "what is older than it may be could not be erased"
    ]  # fmt: skip
