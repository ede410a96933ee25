"""The pages in a real browser, from disk with no network: nothing on the console, keys, clicks, light, dark, print.

Screenshots of every page stay in `var/screenshots/` for whoever wants to see what a change did.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.browser import CHROMIUM, Browser
from tests.fakes.log import DirectClient, open_witness, sequenced
from tests.fakes.recorded_call import SampleCall, booking_call, two_channels

from voicewarden.ledger.store import Ledger
from voicewarden.model.decision import Decision
from voicewarden.model.event import RecordingStored
from voicewarden.replay.drift import drift_between
from voicewarden.replay.entries import read_entries
from voicewarden.replay.labels import add_label
from voicewarden.replay.report import report_name, write_index, write_report
from voicewarden.replay.run import load_run, read_run
from voicewarden.replay.run_data import run_data
from voicewarden.replay.run_report import write_run_report

SHOTS = Path(__file__).resolve().parents[2] / "var" / "screenshots"
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium")


def short_call(name: str) -> SampleCall:
    """A call in which little happens."""
    sample = SampleCall(name)
    sample.answered()
    sample.says("is the studio open on monday", 930)
    sample.thinks("I will look that up.")
    sample.play()
    sample.end()
    return sample


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every page: a call with sound, proofs and labels; one without sound; the index; the QA report with drift."""
    top = tmp_path_factory.mktemp("pages")
    sample = booking_call()
    content = two_channels(sample.now_ms)
    (top / "call.wav").write_bytes(content)
    blob = hashlib.sha256(content).hexdigest()
    sample.happen(RecordingStored(at_ms=sample.now_ms, blob=blob, from_ms=0, ms=sample.now_ms))
    with Ledger.open(top / "ledger.db") as ledger:
        for index in range(32):
            short_call(f"short-{index}").store(ledger)
        data = run_data(read_run(ledger), None, first=5)
        (top / "old.json").write_text(json.dumps(data))
        sample.store(ledger)
        for index in range(31):
            booking_call(f"more-{index}").store(ledger)
        decided = [e.seq for e in read_entries(sample.records).items if isinstance(e.value, Decision)]
        for reviewer in ("ann", "bo"):
            add_label(ledger, "sample-1", decided[-1], "wrong", reason="not asked", reviewer=reviewer, unix_ms=1)
        sequenced(ledger, DirectClient(open_witness(top / "w")))
        write_report(ledger, "sample-1", top / "call.html", recording=top / "call.wav")
        write_report(ledger, "short-0", top / report_name("short-0"))
        write_index(ledger, ("sample-1", "short-0"), top / "index.html")
        run = read_run(ledger)
        drift = drift_between(load_run(top / "old.json"), run)
        write_run_report(
            run, drift, top / "qa.html", ledger="ledger.db", first=6, reports={"sample-1": "call.html"}
        )
    return top


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


PAGES = ("call.html", "short-0.html", "index.html", "qa.html")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("look", "width", "dark"), [("light", 1280, False), ("dark", 1280, True), ("narrow", 400, False)]
)
def test_page_draws_and_says_nothing_on_the_console(
    browser: Browser, folder: Path, name: str, look: str, width: int, *, dark: bool
) -> None:
    browser.open(folder / name, width=width, dark=dark)
    content = browser.picture(SHOTS / f"{name.removesuffix('.html')}-{look}.png")
    assert content.startswith(b"\x89PNG")
    # A blank page of this size packs into a few kilobytes.
    assert len(content) > 15_000
    assert browser.console == []
    assert browser.run("document.documentElement.className") == "scripted"
    assert browser.run("document.documentElement.scrollWidth") == width
    ground = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(part) for part in ground[4:-1].split(",")) < 200) == dark


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_fetched_from_anywhere(browser: Browser, folder: Path, name: str) -> None:
    browser.open(folder / name)
    assert browser.requests[0] == (folder / name).as_uri()
    assert all(request.startswith("data:") for request in browser.requests[1:])


def test_letters_and_arrows_walk_through_the_decisions(browser: Browser, folder: Path) -> None:
    browser.open(folder / "call.html")
    cards = browser.run("[...document.querySelectorAll('.card')].map(card => card.id)")
    assert len(cards) == 6
    walked = []
    for key in ("j", "j", "ArrowRight", "k", "ArrowLeft", "k"):
        browser.press(key)
        walked.append(browser.run("document.activeElement.id"))
    assert walked == [cards[0], cards[1], cards[2], cards[1], cards[0], cards[0]]
    at_ms = browser.run("Number(document.activeElement.dataset.ms)")
    browser.wait(f"Math.abs(document.getElementById('sound').currentTime * 1000 - {at_ms}) < 50")
    browser.picture(SHOTS / "call-decision-chosen.png", whole=False)


def test_space_plays_and_pauses_and_the_cursor_follows(browser: Browser, folder: Path) -> None:
    browser.open(folder / "call.html")
    browser.press(" ")
    browser.wait("!document.getElementById('sound').paused")
    browser.wait("parseFloat(document.getElementById('cursor').getAttribute('x1')) > 0")
    browser.press(" ")
    browser.wait("document.getElementById('sound').paused")
    assert browser.console == []


@pytest.mark.parametrize(
    "place", [".rows .w[data-ms]", ".rows > li.agent .said", ".rows button.time", ".card button.time"]
)
def test_click_goes_to_the_moment_and_plays(browser: Browser, folder: Path, place: str) -> None:
    browser.open(folder / "call.html")
    wanted = browser.run(
        f"Number((document.querySelector({place!r}).closest('[data-ms]') || "
        f"document.querySelector({place!r}).closest('li')).dataset.ms || "
        f"document.querySelector({place!r}).closest('li').dataset.from)"
    )
    browser.click(place)
    browser.wait("!document.getElementById('sound').paused")
    now_ms = browser.run("document.getElementById('sound').currentTime * 1000")
    assert wanted - 50 <= now_ms <= wanted + 5_000


def test_click_on_the_waveform_goes_there(browser: Browser, folder: Path) -> None:
    browser.open(folder / "call.html")
    browser.click("#picture .wave.agent svg")
    browser.wait("!document.getElementById('sound').paused")
    share = browser.run("document.getElementById('sound').currentTime / document.getElementById('sound').duration")
    assert 0.3 < share < 0.75


def test_keys_are_listed_and_the_list_closes(browser: Browser, folder: Path) -> None:
    browser.open(folder / "call.html")
    browser.press("?")
    assert browser.run("document.getElementById('keys').open")
    browser.picture(SHOTS / "call-keys.png", whole=False)
    browser.press("Escape")
    browser.wait("!document.getElementById('keys').open")


def test_call_without_sound_says_so_and_keys_still_work(browser: Browser, folder: Path) -> None:
    browser.open(folder / "short-0.html")
    shown = browser.run("document.querySelector('#picture').textContent")
    assert "no sound: this call's recording is not here" in shown
    browser.press(" ")
    browser.press("j")
    assert browser.console == []


def test_link_to_a_record_opens_the_log(browser: Browser, folder: Path) -> None:
    browser.open(folder / "call.html", "#r3")
    assert browser.run("document.getElementById('records').open")
    assert browser.run("document.querySelector('#r3 > details').open")
    assert not browser.run("document.querySelector('#r4 > details').open")


def test_proof_of_a_card_is_a_file_that_can_be_saved(browser: Browser, folder: Path) -> None:
    browser.open(folder / "call.html")
    content = browser.run("atob(document.querySelector('.downloads a').href.split(',')[1])")
    assert json.loads(content)["format"] == "vw/proof/v1"
    assert browser.run("document.querySelector('.downloads a').download").endswith(".json")


@pytest.mark.parametrize("name", PAGES)
def test_print_is_light_and_leaves_out_what_paper_can_not_do(browser: Browser, folder: Path, name: str) -> None:
    browser.open(folder / name, dark=True)
    assert browser.print(SHOTS / f"{name.removesuffix('.html')}.pdf").startswith(b"%PDF")
    browser.show_as("print", dark=True)
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    ink = browser.run("getComputedStyle(document.body).color")
    assert sum(int(part) for part in ink[4:-1].split(",")) < 200
    shown = "[...document.querySelectorAll('.player, .zoom')].every(part => getComputedStyle(part).display === 'none')"
    assert browser.run(shown)
    assert browser.console == []


def test_link_of_the_qa_report_leads_to_the_moment(browser: Browser, folder: Path) -> None:
    browser.open(folder / "qa.html")
    address = browser.run("document.querySelector('.first .why a').getAttribute('href')")
    page, _, anchor = address.partition("#")
    browser.open(folder / page, f"#{anchor}")
    assert browser.run("document.querySelector(':target') !== null")
