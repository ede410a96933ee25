"""A witness as a process of its own: a ledger is co-signed over HTTP, kills change nothing, and the commands tell."""

import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from tests.fakes.chain import Chain
from tests.fakes.log import LOG, ORIGIN, PRIVATE, forger
from typer.testing import CliRunner

from voicewarden.cli.main import app
from voicewarden.config.keys import Keys
from voicewarden.ledger import Ledger
from voicewarden.ledger.checkpoint import SignedCheckpoint
from voicewarden.ledger.note import VerifierKey
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.witness_client import WitnessClient

SOURCES = Path(__file__).resolve().parents[2] / "src"


class Running:
    """A witness that runs."""

    def __init__(self, process: "subprocess.Popen[str]", key: str, port: int) -> None:
        self.process = process
        self.key = key
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> WitnessClient:
        return WitnessClient(self.url, VerifierKey.parse(self.key))

    def fetch(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        found = answer.status, answer.getheader("Content-Type", ""), answer.read().decode()
        connection.close()
        return found


@contextmanager
def witness(store: Path, *logs: str, port: int = 0) -> Iterator[Running]:
    """Start a witness; it is killed at the end unless it ended before."""
    command = [sys.executable, "-m", "voicewarden.cli.main", "ledger", "witness", "--store", str(store)]
    command += ["--listen", f"127.0.0.1:{port}", *(part for log in logs for part in ("--log", log))]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(SOURCES)}
    )
    assert process.stdout is not None
    key = process.stdout.readline().removeprefix("key ").strip()
    ready = re.fullmatch(r"ready on 127\.0\.0\.1:(\d+)\n", process.stdout.readline())
    assert ready is not None
    try:
        yield Running(process, key, int(ready[1]))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def run(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["ledger", *map(str, words)])
    return result.exit_code, result.output


def test_a_ledger_is_cosigned_while_it_is_written_and_over_kills(tmp_path: Path) -> None:
    chain, path = Chain(), tmp_path / "ledger.db"
    key = ""
    with Ledger.open(path) as ledger:
        for turn in range(3):
            with witness(tmp_path / "w", *([] if turn else [LOG.text])) as running:
                assert key in ("", running.key)
                key = running.key
                with Sequencer(ledger, PRIVATE, ORIGIN, witnesses=[running.client()], every_s=0.01) as sequencer:
                    for _ in range(5):
                        ledger.submit(chain.events(40))
                        ledger.flush()
                assert (sequencer.failure, sequencer.cosigning[0].failure) == (None, None)
                status, kind, text = running.fetch("GET", f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint")
                assert (status, kind) == (200, "text/plain; charset=utf-8")
                found = SignedCheckpoint.parse(text)
                assert found.checkpoint.size == chain.seq
                assert found.cosigners([VerifierKey.parse(key)])
                os.kill(running.process.pid, signal.SIGKILL)
                running.process.wait()
            # Nobody answers: the ledger is signed for all the same.
            ledger.submit(chain.events(3))
            with Sequencer(ledger, PRIVATE, ORIGIN, witnesses=[running.client()]) as sequencer:
                pass
            assert (sequencer.failure, sequencer.cosigning[0].failure) == (None, None)
    code, output = run("verify", path, "--witness-store", tmp_path / "w", "--json")
    told = json.loads(output)
    assert (code, told["ok"], told["records"]) == (0, True, chain.seq)
    tree = told["tree"]
    assert (tree["size"], tree["cosigned"], tree["open_records"]) == (chain.seq, chain.seq - 3, 3)


WRITER = """
import sys
from pathlib import Path
from tests.fakes.chain import Chain
from tests.fakes.log import ORIGIN, PRIVATE
from voicewarden.ledger import Ledger
from voicewarden.ledger.note import VerifierKey
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.witness_client import WitnessClient

ledger = Ledger.open(Path(sys.argv[1]))
client = WitnessClient(sys.argv[2], VerifierKey.parse(sys.argv[3]))
chain = Chain("call:one", *ledger.head("call:one"))
with Sequencer(ledger, PRIVATE, ORIGIN, witnesses=[client], every_s=0.001):
    while True:
        ledger.submit(chain.events(7))
        ledger.flush()
        print(chain.seq, flush=True)
"""


def test_a_writer_and_its_sequencer_that_are_killed_never_sign_two_histories(tmp_path: Path) -> None:
    path, dice = tmp_path / "ledger.db", random.Random(7)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCES), str(SOURCES.parent)])}
    with witness(tmp_path / "w", LOG.text) as running:
        for _ in range(8):
            command = [sys.executable, "-c", WRITER, str(path), running.url, running.key]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as writer:
                assert writer.stdout is not None
                for _ in range(dice.randrange(1, 120)):
                    assert writer.stdout.readline()
                writer.kill()
            code, output = run("verify", path, "--witness-store", tmp_path / "w", "--json")
            told = json.loads(output)
            assert (code, told["problems"]) == (0, [])
            assert told["tree"]["cosigned"] <= told["tree"]["size"] <= told["records"]
        with Ledger.open(path) as ledger:
            with Sequencer(ledger, PRIVATE, ORIGIN, witnesses=[running.client()]) as sequencer:
                pass
            assert (sequencer.failure, sequencer.cosigning[0].failure) == (None, None)
    code, output = run("verify", path, "--witness-store", tmp_path / "w", "--json")
    assert (code, json.loads(output)["tree"]["open_records"]) == (0, 0)


def test_what_goes_over_the_wire_is_the_protocol(tmp_path: Path) -> None:
    with witness(tmp_path / "w", LOG.text) as running:
        post = "/add-checkpoint"
        assert running.fetch("POST", post, b"nonsense")[0] == 400
        assert running.fetch("POST", "/elsewhere", b"")[0] == 404
        assert running.fetch("GET", "/")[0] == 404
        assert running.fetch("GET", f"/{'0' * 64}/checkpoint")[0] == 404
        assert running.fetch("POST", post, None, **{"Content-Length": "99999999"})[0] == 413
        assert running.fetch("DELETE", post)[0] == 501
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) == 0


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A folder with keys and a ledger that nobody signed for yet."""
    Keys.open(tmp_path / "keys")
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.submit(Chain("call:example").events(5))
    return tmp_path


def test_the_commands_go_together(installation: Path) -> None:
    path, keys = installation / "ledger.db", installation / "keys"
    code, log = run("key", "--keys", keys)
    assert code == 0
    log = log.strip()
    with witness(installation / "w", log) as running:
        code, note = run("checkpoint", path, "--sign", "--witness", running.url, "--witness-key", running.key)
        assert (code, note.count("\n— ")) == (0, 2)
        saved = installation / "saved.txt"
        saved.write_text(note, encoding="utf-8")
        code, output = run("checkpoint", path, "--cosigned", "--json")
        assert json.loads(output)["keys"] == [log, running.key]
        proof = installation / "proof.json"
        assert run("prove", "example", "3", "--ledger", path, "--out", proof)[0] == 0
        assert run("prove", "call:example", "3", "--ledger", path)[1] == proof.read_text(encoding="utf-8")
        code, output = run("check-proof", proof, "--key", log, "--key", running.key)
        assert (code, output.splitlines()[-1]) == (0, "the proof holds")
        proof.write_text(proof.read_text(encoding="utf-8").replace("yes", "no!"), encoding="utf-8")
        code, output = run("check-proof", proof, "--key", log, "--json")
        assert (code, json.loads(output)["ok"]) == (1, False)
        assert run("export", installation / "out", "--ledger", path)[0] == 0
        assert (installation / "out" / "checkpoint").read_text(encoding="utf-8") == note
    code, output = run("verify", path, "--key", log, "--key", running.key, "--checkpoint", saved)
    assert code == 0
    assert output.splitlines() == [
        "5 records: every chain holds",
        "tree: 5 records, signed up to 5, co-signed up to 5; 0 in the open window",
    ]


def test_a_tampered_copy_is_pinpointed(installation: Path) -> None:
    path = installation / "ledger.db"
    assert run("checkpoint", path, "--sign")[0] == 0
    with forger(path) as connection:
        connection.execute("UPDATE records SET body = CAST(replace(body, 'yes', 'no!') AS BLOB) WHERE seq = 2")
    code, output = run("verify", path)
    assert code == 1
    assert "example record 2 (3 of the file): its bytes are not those that were written" in output
    assert "no co-signed checkpoint: no witness can show a change or a cut of 5 records" in output


@pytest.mark.parametrize(
    "words",
    [
        ("checkpoint", "ledger.db"), ("checkpoint", "ledger.db", "--sign", "--keys", "none"),
        ("prove", "example", "0", "--ledger", "ledger.db"), ("export", "out", "--ledger", "ledger.db"),
        ("check-proof", "none.json", "--key", LOG.text), ("check-proof", "none.json", "--key", "no key"),
        ("witness", "--store", "w", "--listen", "nowhere"), ("witness", "--store", "w", "--log", "no key"),
        ("verify", "ledger.db", "--key", "no key"), ("verify", "ledger.db", "--checkpoint", "none"),
        ("verify", "ledger.db", "--witness-store", "none"),
        ("checkpoint", "ledger.db", "--sign", "--witness", "http://127.0.0.1:1", "--witness-key", "no key"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_line(
    installation: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(installation)
    env = {**os.environ, "PYTHONPATH": str(SOURCES)}
    command = [sys.executable, "-m", "voicewarden.cli.main", "ledger", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=installation)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("voicewarden: ") and done.stderr.count("\n") == 1
