"""The call report: what it shows, that it is one safe file, and that grants, reasons and records find each other."""

import base64
import hashlib
import re
import stat
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.fakes.recorded_call import SampleCall, booking_call, two_channels

from voicewarden.ledger.store import Ledger
from voicewarden.model.event import AuthorityTightened, DtmfPressed, RecordingStored
from voicewarden.replay.report import report_name, write_index, write_report

VOID = {"meta", "input", "br", "hr", "link", "img"}


class Page(HTMLParser):
    """What a browser would see: elements, ids, links, text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.append((name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


def report(ledger: Ledger, sample: SampleCall, recording: Path | None = None) -> str:
    """Store a call and return the source of its report."""
    sample.store(ledger)
    call = sample.records[0].stream.removeprefix("call:")
    return write_report(ledger, call, ledger.path.with_name("r.html"), recording=recording).read_text("utf-8")


def recorded(sample: SampleCall, folder: Path) -> Path:
    """Store a recording that begins two seconds into the call."""
    content = two_channels(sample.now_ms - 2_000)
    path = folder / "call.wav"
    path.write_bytes(content)
    blob = hashlib.sha256(content).hexdigest()
    sample.happen(RecordingStored(at_ms=sample.now_ms, blob=blob, from_ms=2_000, ms=sample.now_ms - 2_000))
    return path


def card(source: str, title: str, verdict: str) -> str:
    """Text of the last decision card of this title and verdict."""
    found = re.findall(rf'<article[^>]*class="card {verdict}"[^>]*aria-label="{title},.*?</article>', source, re.S)
    return Page(found[-1]).text


def test_report_shows_the_whole_call(ledger: Ledger, tmp_path: Path) -> None:
    sample = booking_call()
    page = Page(report(ledger, sample, recorded(sample, tmp_path)))
    for part in ("At a glance", "Transcript", "Decisions", "Event log", "booking", "inbound", "caller hung up"):
        assert part in page.text
    assert "same bytes" in page.text
    assert "The hash chain is whole." in page.text
    assert "What is missing or odd" not in page.text
    assert all(record.hash in page.text for record in sample.records)


def test_allowed_action_shows_reasons_grant_and_receipt(ledger: Ledger) -> None:
    sample = booking_call()
    shown = card(report(ledger, sample), "book", "allow")
    assert "service = haircut" in shown
    assert "The caller said a clear yes to “book”. met book.require.4" in shown
    assert "needed is a clear yes, no older than 90 s" in shown
    assert "“yes book it”" in shown
    assert "Only the caller's own answer to this question counts. — head-of-sales" in shown
    granted = next(r for r in sample.records if r.kind == "grant" and b'"book"' in r.body)
    assert f"sample-1/{granted.seq}" in shown
    assert "Receipt done" in shown
    assert "uid = event-7" in shown


def test_question_stands_on_the_card_that_asked_it(ledger: Ledger) -> None:
    shown = card(report(ledger, booking_call()), "book", "confirm")
    assert "Question put to the caller" in shown
    assert "Shall I book a haircut" in shown


def test_held_sentence_is_a_card_and_allowed_ones_are_grouped(ledger: Ledger) -> None:
    source = report(ledger, booking_call())
    shown = card(source, "sentence", "deny")
    assert "A haircut costs 19 dollars." in shown
    assert "price:19" in shown
    assert "I am not sure about that" in shown
    assert "Sentences of the model that were allowed: 3" in Page(source).text
    assert source.count('class="card') == 6


def test_stage_that_overrode_the_rules_is_said(ledger: Ledger) -> None:
    sample = SampleCall(quote_open=True)
    sample.answered()
    sample.happen(AuthorityTightened(at_ms=sample.now_ms, stage="observe", epoch=1, operator="ann"))
    sample.says("can you book me in")
    sample.thinks(action="book", args={"service": "haircut", "start": "2026-12-02T10:00"})
    sample.play()
    sample.says("yes book it", 950)
    source = report(ledger, sample)
    shown = card(source, "book", "deny")
    assert "bounded, later observe" in source
    assert "The rules alone would say allowed ; the stage “observe” made it refused" in shown


def test_words_carry_their_confidence_as_colour_and_number(ledger: Ledger) -> None:
    source = report(ledger, booking_call())
    assert re.search(r'class="w unsure" data-p="50" data-ms="\d+" title="50 % sure">Wednesday</span>', source)
    assert "least sure: “yes” 48 %" in Page(source).text


def test_sentences_say_whether_they_were_heard(ledger: Ledger) -> None:
    text = Page(report(ledger, booking_call())).text
    for state in ("must say · heard to the end", "model · cut off after 0.7 s", "model · never heard", "question ·"):
        assert state in text


def test_what_a_caller_or_model_says_is_never_markup(ledger: Ledger) -> None:
    sample = SampleCall('x"><script>alert(0)</script>')
    sample.answered()
    sample.says("</style><script>alert(1)</script> <img src=x onerror=alert(2)> ' \" \x00 \u202e", 900)
    sample.thinks("<svg onload=alert(3)> It costs 7 dollars.", action="book", args={"<b>": "</li><script>4</script>"})
    sample.happen(DtmfPressed(at_ms=sample.now_ms, digit='"><script>5</script>'))
    page = Page(report(ledger, sample))
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_page_is_well_formed_and_every_link_has_its_target(ledger: Ledger, tmp_path: Path) -> None:
    sample = booking_call()
    page = Page(report(ledger, sample, recorded(sample, tmp_path)))
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    inner = [link.removeprefix("#") for link in page.links if link.startswith("#")]
    assert inner
    assert set(inner) <= set(page.ids)


def test_page_loads_nothing_and_its_own_policy_says_so(ledger: Ledger, tmp_path: Path) -> None:
    sample = booking_call()
    source = report(ledger, sample, recorded(sample, tmp_path))
    page = Page(source)
    sources = [value for name, value in page.attributes if name == "src"]
    assert all(value.startswith("data:audio/wav;base64,") for value in sources)
    assert not re.search(r"https?:|url\(|@import", source)
    for tag in ("style", "script"):
        content = re.findall(rf"<{tag}>(.*?)</{tag}>", source, re.S)[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in source


def test_report_is_readable_by_its_owner_only(ledger: Ledger) -> None:
    sample = booking_call()
    sample.store(ledger)
    path = write_report(ledger, "sample-1", ledger.path.with_name("new") / "r.html")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["r.html"]


def test_index_links_the_reports(ledger: Ledger) -> None:
    booking_call().store(ledger)
    booking_call("../second one").store(ledger)
    target = write_index(ledger, ("sample-1", "../second one", "never"), ledger.path.with_name("index.html"))
    page = Page(target.read_text("utf-8"))
    assert page.links == ["./sample-1.html", "./-second-one.html", "./never.html"]
    assert "caller hung up book sentences (1)" in page.text
    assert "no end is recorded" in page.text


@pytest.mark.parametrize(
    ("call", "name"), [("a-1", "a-1.html"), ("../../etc", "-..-etc.html"), ("..", "call.html"), ("ü b", "-b.html")]
)
def test_report_name_stays_in_its_folder(call: str, name: str) -> None:
    assert report_name(call) == name
