"""One decision as a card: what was asked, the verdict in a sentence, every reason with what it rests on, the permission
and what came of it, what watching rules would have said, what reviewers said, where the record stands and its proof.

In: a case and what is known around it. Out: HTML. Used by `cards`.
"""

import base64
from collections.abc import Callable, Sequence

from voicewarden.model.action import Value
from voicewarden.model.decision import Decision, Grant, Reason, Shadowed
from voicewarden.replay.cases import Case
from voicewarden.replay.english import decision_in_words, facts_in_words, reason_in_words, told
from voicewarden.replay.entries import Entries
from voicewarden.replay.evidence import Evidence
from voicewarden.replay.labels import Label, Labels
from voicewarden.replay.markup import Html, join, record_link, tag
from voicewarden.replay.provenance import Paper, Provenance
from voicewarden.replay.rules import About, Rules
from voicewarden.replay.transcript import badge
from voicewarden.replay.wording import VERDICTS, clock, date, duration, grant_end, plain

_RESULTS = {
    "done": "done", "refused": "the world said no (nothing was changed)", "failed": "it failed (nothing was changed)",
    "unknown": "unknown: a person has to look, and nothing runs it again",
}  # fmt: skip


class Card:
    """Shows decisions of one call."""

    def __init__(
        self, entries: Entries, rules: Rules, burnt: Callable[[str], bool], labels: Labels, provenance: Provenance
    ) -> None:
        self._entries = entries
        self._evidence = Evidence(entries)
        self._rules = rules
        self._burnt = burnt
        self._labels = labels
        self._provenance = provenance

    def show(self, case: Case) -> Html:
        """The card."""
        decision, title = case.decision, case.title
        verdict = tag("strong", badge(decision.verdict), " ", VERDICTS[decision.verdict],
                      class_=f"verdict {decision.verdict}")  # fmt: skip
        time = tag("button", clock(case.at_ms), type="button", class_="time", data_ms=case.at_ms,
                   title="Go to this moment")  # fmt: skip
        parts = (
            tag("p", decision_in_words(decision, title), class_="sentence"),
            self._overridden(decision), self.reviews(case), self._asked(case), self._instead(case),
            self._reasons(decision.reasons), self._shadows(case), self._grant(case), self._record(case),
        )  # fmt: skip
        return tag(
            "article", tag("header", time, tag("h3", title), verdict), *parts, id=f"r{case.seq}-d",
            class_=f"card {decision.verdict}", tabindex="-1", data_ms=case.at_ms,
            aria_label=f"{title}, {VERDICTS[decision.verdict]}, at {clock(case.at_ms)}",
        )  # fmt: skip

    def reviews(self, case: Case) -> Html | None:
        """What reviewers said about the decision."""
        labels = self._labels.about(case.seq)
        if not labels:
            return None
        return tag("ul", join(tag("li", _review(label)) for label in labels), class_="reviews")

    def end(self, case: Case) -> str:
        """What became of the permission."""
        if case.grant is None:
            return ""
        outcome = _RESULTS.get(case.receipt.outcome, case.receipt.outcome) if case.receipt else None
        burnt = self._burnt(case.grant.id)
        return grant_end(case.grant, outcome, handed=case.handed_seq is not None, burnt=burnt)

    def _overridden(self, decision: Decision) -> Html | None:
        if decision.would is None or decision.would == decision.verdict:
            return None
        return tag(
            "p", "The rules alone would say ", tag("strong", VERDICTS[decision.would]),
            f"; the stage “{decision.stage}” made it ", tag("strong", VERDICTS[decision.verdict]), ".",
            class_="callout",
        )  # fmt: skip

    def _asked(self, case: Case) -> Html:
        own = "the system itself, without a request"
        asked = own if case.asked_seq is None else record_link(case.asked_seq)
        rows: list[tuple[str, object]] = [("Asked by", join((case.decision.principal, " · ", asked)))]
        if case.proposed:
            rows.append(("Sentence", tag("span", "“", case.proposed, "”", class_="said")))
        elif case.args is None:
            rows.append(("With", f"not recorded; the fingerprint is {case.decision.digest[:12]}…"))
        elif case.args:
            rows.append(("With", _values(case.args)))
        about = self._rules.action(case.decision.action)
        if about is not None and about.why:
            rows.append(("Guarded because", _about(about)))
        return _facts(rows)

    def _instead(self, case: Case) -> Html | None:
        if not case.instead:
            return None
        label = "Question put to the caller" if case.decision.verdict == "confirm" else "The agent said then"
        return _facts([(label, tag("q", " ".join(case.instead)))])

    def _reasons(self, reasons: Sequence[Reason]) -> Html:
        if not reasons:
            return tag("p", "No rule stands against this.", class_="meta")
        items = join(self._reason(reason) for reason in sorted(reasons, key=lambda item: item.verdict == "allow"))
        return join((tag("h4", "Reasons"), tag("ol", items, class_="reasons")))

    def _reason(self, reason: Reason) -> Html:
        met = reason.verdict == "allow"
        rows: list[tuple[str, object]] = [
            ("looked at", facts_in_words(reason.fact)), ("needed", told(reason.needed)),
            ("found", tag("strong", told(reason.found))),
        ]  # fmt: skip
        if reason.evidence:
            rows.append(("rests on", join((self._evidence.tell(seq, reason.fact) for seq in reason.evidence), "; ")))
        about = self._rules.about(reason.rule)
        absent = tag("span", "the rule's text is not at hand", class_="missing")
        rows.append(("why", _about(about) if about else absent))
        if reason.offer:
            rows.append(("instead", f"{plain(reason.offer)} may be offered"))
        state = "met" if met else f"not met → {VERDICTS[reason.verdict]}"
        head = tag(
            "p", badge(reason.verdict), " ", tag("strong", reason_in_words(reason)), " ",
            tag("span", state, class_="state"), " ", tag("code", reason.rule), class_="rule",
        )  # fmt: skip
        return tag("li", head, _facts(rows), class_=f"reason {'met' if met else reason.verdict}")

    def _shadows(self, case: Case) -> Html | None:
        if not case.shadows:
            return None
        return join((tag("h4", "What watching rules would have said"), *(self._shadow(item) for item in case.shadows)))

    def _shadow(self, shadow: Shadowed) -> Html:
        whose = "Rules that only watch" if shadow.source == "rules" else f"The policy on trial (“{shadow.source}”)"
        reasons = [reason for reason in shadow.reasons if reason.verdict != "allow"]
        said = tag(
            "p", whose, " would have said ", tag("strong", badge(shadow.verdict), " ", VERDICTS[shadow.verdict],
            class_=f"verdict {shadow.verdict}"), ". It changed nothing. ", record_link(shadow.seq),
        )  # fmt: skip
        items = join(self._reason(reason) for reason in reasons)
        return tag("div", said, tag("ol", items, class_="reasons") if reasons else None, class_="shadow")

    def _grant(self, case: Case) -> Html | None:
        grant = case.grant
        if grant is None:
            return None
        result: object = tag("strong", self.end(case))
        if case.receipt_seq is not None:
            result = join((result, " · ", record_link(case.receipt_seq)))
        rows: list[tuple[str, object]] = [
            ("Grant", join((tag("code", grant.id), " · ", record_link(grant.seq)))),
            ("Valid until", _expiry(grant)),
            ("Used", "yes, once" if self._burnt(grant.id) else "the ledger knows of no use"),
            ("Receipt", result),
        ]
        if case.receipt is not None and case.receipt.detail:
            rows.append(("Returned", _values(case.receipt.detail)))
        agreed: object = "no question was needed"
        if grant.confirmed:
            agreed = join(("the question and the words that agreed: ", tag("code", grant.confirmed, class_="long")))
        bound = join(("exactly this request: ", tag("code", grant.digest, class_="long")))
        prints = _facts([("Bound to", bound), ("Confirmed", agreed)])
        folded = tag("details", tag("summary", "Fingerprints"), prints, class_="fold")
        return join((tag("h4", "Permission and receipt"), _facts(rows), folded))

    def _record(self, case: Case) -> Html:
        decision = case.decision
        entry = self._entries.by_seq[case.seq]
        paper = self._provenance.paper(entry.record)
        links: list[object] = [record_link(case.seq, f"record {case.seq} of {len(self._entries.items)} in this call")]
        links += [tag("a", f"same request: record {seq}", href=f"#r{seq}-d") for seq in case.same_request]
        papers = [_download(paper, "proof of this decision" if paper.is_proof else "this record")]
        for seq, what in ((case.grant.seq if case.grant else None, "permission"), (case.receipt_seq, "receipt")):
            if seq is not None and (other := self._entries.by_seq.get(seq)) is not None:
                papers.append(_download(self._provenance.paper(other.record), what))
        prints = _facts([
            ("Hash", tag("code", entry.record.hash, class_="long")),
            ("Built on", tag("code", entry.record.prev_hash, class_="long")),
            ("Decided under", join((f"policy {decision.policy[:12]} · stage {decision.stage} · request "
             f"{decision.request} · state {decision.version} · control order {decision.epoch}",))),
        ])  # fmt: skip
        return tag(
            "footer", tag("p", join(links, " · ")), tag("p", paper.says),
            tag("p", "Download: ", join(papers, ", "), class_="downloads"),
            tag("details", tag("summary", "Chain position"), prints, class_="fold"), class_="meta",
        )  # fmt: skip


def _download(paper: Paper, label: str) -> Html:
    content = base64.b64encode(paper.document.encode("utf-8", "backslashreplace")).decode()
    return tag("a", label, href=f"data:application/json;base64,{content}", download=paper.name)


def _review(label: Label) -> Html:
    word = tag("strong", "right" if label.verdict == "right" else "WRONG", class_=f"label {label.verdict}")
    when = tag("span", f" ({date(label.unix_ms)})", class_="meta")
    return join((f"{label.reviewer} found this ", word, f": {label.reason}", when))


def _expiry(grant: Grant) -> str:
    return f"{clock(grant.expires_at_ms)} ({duration(grant.expires_at_ms - grant.minted_at_ms)} after it was given)"


def _about(about: About) -> Html:
    owner = tag("span", " — ", about.owner, class_="owner") if about.owner else None
    return tag("span", about.why, owner)


def _values(values: dict[str, Value]) -> Html:
    shown = (join((tag("code", name), " = ", tag("span", value, class_="value"))) for name, value in values.items())
    return join(shown, ", ")


def _facts(rows: Sequence[tuple[str, object]]) -> Html:
    return tag("dl", join(tag("div", tag("dt", name), tag("dd", value)) for name, value in rows))
