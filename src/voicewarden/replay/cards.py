"""Decisions as cards: what was asked, the verdict, every reason with what it rests on, the grant and its receipt.

In: cases, entries, rules, which grants were burnt. Out: HTML, with what matters first and the many allowed sentences in
one table. Used by the call report.
"""

from collections.abc import Callable, Sequence

from voicewarden.model.action import Value
from voicewarden.model.decision import Grant, Reason
from voicewarden.replay.cases import Case, Weight
from voicewarden.replay.entries import Entries
from voicewarden.replay.evidence import Evidence
from voicewarden.replay.markup import Html, join, record_link, tag
from voicewarden.replay.rules import About, Rules
from voicewarden.replay.transcript import badge
from voicewarden.replay.wording import (
    VERDICTS,
    clock,
    decision_sentence,
    duration,
    grant_end,
    plain,
    reasons_in_words,
)

_GROUPS: tuple[tuple[Weight, str], ...] = (
    ("late", "sentences of the model that came when their moment was over"),
    ("said", "sentences of the model that were allowed"),
    ("tokens", "inferences that the token budget allowed"),
    ("escape", "grants made at the start, so that stopping never waits"),
)


class Cards:
    """Shows the decisions of one call."""

    def __init__(self, entries: Entries, rules: Rules, burnt: Callable[[str], bool]) -> None:
        self._evidence = Evidence(entries)
        self._rules = rules
        self._burnt = burnt

    def show(self, cases: Sequence[Case]) -> Html:
        """Cards of what matters, then the rest in folded groups."""
        weighty = [self._card(case) for case in cases if case.weight in ("action", "held")]
        if not weighty:
            nothing = "No action was asked for, and no sentence was refused for its words."
            weighty = [tag("p", nothing, class_="missing")]
        groups = [self._group(weight, title, cases) for weight, title in _GROUPS]
        return join((*weighty, *groups))

    def _group(self, weight: Weight, title: str, cases: Sequence[Case]) -> Html:
        chosen = [case for case in cases if case.weight == weight]
        if not chosen:
            return Html("")
        rows = join(self._small(case) for case in chosen)
        return tag("details", tag("summary", f"{len(chosen)} {title}"), tag("ol", rows, class_="small"), class_="group")

    def _small(self, case: Case) -> Html:
        reasons = reasons_in_words(case.decision.reasons)
        what = f"“{case.proposed}”" if case.proposed else plain(case.decision.request.replace(":", " "))
        end = self._end(case) if case.grant else None
        meta = tag("span", join(part for part in (reasons, end, record_link(case.seq)) if part), class_="meta")
        return tag(
            "li", tag("span", clock(case.at_ms), class_="at"), badge(case.decision.verdict), " ", what, " ", meta,
            id=f"r{case.seq}-d",
        )  # fmt: skip

    def _card(self, case: Case) -> Html:
        decision = case.decision
        title = case.title
        time = tag("button", clock(case.at_ms), type="button", class_="time", data_ms=case.at_ms)
        head = tag(
            "header", time, tag("h3", title),
            tag("strong", badge(decision.verdict), " ", VERDICTS[decision.verdict],
                class_=f"verdict {decision.verdict}"),
        )  # fmt: skip
        parts = (
            tag("p", decision_sentence(decision, title), class_="sentence"),
            self._overridden(case), self._asked(case), self._instead(case), self._reasons(case), self._grant(case),
            self._footer(case),
        )  # fmt: skip
        return tag(
            "article", head, *parts, id=f"r{case.seq}-d", class_=f"card {decision.verdict}", tabindex="-1",
            aria_label=f"{title}, {VERDICTS[decision.verdict]}, at {clock(case.at_ms)}",
        )  # fmt: skip

    def _overridden(self, case: Case) -> Html | None:
        would, decision = case.decision.would, case.decision
        if would is None or would == decision.verdict:
            return None
        return tag(
            "p", "The rules alone would say ", tag("strong", VERDICTS[would]),
            f"; the stage “{decision.stage}” made it ", tag("strong", VERDICTS[decision.verdict]), ".",
            class_="callout",
        )  # fmt: skip

    def _asked(self, case: Case) -> Html:
        own = "the kernel itself, no request is recorded"
        asked = own if case.asked_seq is None else record_link(case.asked_seq)
        rows: list[tuple[str, object]] = [("Asked by", join((case.decision.principal, " · ", asked)))]
        if case.proposed:
            rows.append(("Sentence", tag("span", "“", case.proposed, "”", class_="said")))
        elif case.args is None:
            rows.append(("Arguments", f"not recorded; their digest is {case.decision.digest[:12]}…"))
        elif case.args:
            rows.append(("Arguments", _values(case.args)))
        about = self._rules.action(case.decision.action)
        if about is not None and about.why:
            rows.append(("Guarded because", _about(about)))
        return _facts(rows)

    def _instead(self, case: Case) -> Html | None:
        if not case.instead:
            return None
        label = "Question put to the caller" if case.decision.verdict == "confirm" else "The agent said then"
        return _facts([(label, tag("q", " ".join(case.instead)))])

    def _reasons(self, case: Case) -> Html:
        reasons = case.decision.reasons
        if not reasons:
            return tag("p", "No rule stands against this.", class_="meta")
        items = join(self._reason(reason) for reason in sorted(reasons, key=lambda item: item.verdict == "allow"))
        return join((tag("h4", "Reasons"), tag("ol", items, class_="reasons")))

    def _reason(self, reason: Reason) -> Html:
        met = reason.verdict == "allow"
        rows: list[tuple[str, object]] = [("needed", reason.needed), ("found", tag("strong", reason.found))]
        if reason.evidence:
            rows.append(("rests on", join((self._evidence.tell(seq, reason.fact) for seq in reason.evidence), "; ")))
        about = self._rules.about(reason.rule)
        absent = tag("span", "the rule's text is not at hand", class_="missing")
        rows.append(("why", _about(about) if about else absent))
        if reason.offer:
            rows.append(("instead", f"{plain(reason.offer)} may be offered"))
        state = "met" if met else f"not met → {VERDICTS[reason.verdict]}"
        head = tag(
            "p", badge(reason.verdict), " ", tag("strong", reason.fact or "rule"), " ",
            tag("span", state, class_="state"), " ", tag("code", reason.rule), class_="rule",
        )  # fmt: skip
        return tag("li", head, _facts(rows), class_=f"reason {'met' if met else reason.verdict}")

    def _end(self, case: Case) -> str:
        if case.grant is None:
            return ""
        outcome = case.receipt.outcome if case.receipt else None
        burnt = self._burnt(case.grant.id)
        return grant_end(case.grant, outcome, handed=case.handed_seq is not None, burnt=burnt)

    def _grant(self, case: Case) -> Html | None:
        grant = case.grant
        if grant is None:
            return None
        rows: list[tuple[str, object]] = [
            ("Grant", join((tag("code", grant.id), " · ", record_link(grant.seq)))),
            ("Valid until", _expiry(grant)),
            ("Bound to", tag("code", grant.digest, class_="long")),
            ("Confirmed", tag("code", grant.confirmed, class_="long") if grant.confirmed else "no question was needed"),
            ("Spent", "yes, once" if self._burnt(grant.id) else "the ledger knows of no spending"),
            ("Receipt", tag("strong", self._end(case))),
        ]
        if case.receipt is not None and case.receipt_seq is not None:
            rows[-1] = ("Receipt", join((tag("strong", case.receipt.outcome), " · ", record_link(case.receipt_seq))))
            if case.receipt.detail:
                rows.append(("Returned", _values(case.receipt.detail)))
        return join((tag("h4", "Grant and receipt"), _facts(rows)))

    def _footer(self, case: Case) -> Html:
        decision = case.decision
        parts: list[object] = [record_link(case.seq, f"record {case.seq}"), f"request {decision.request}"]
        parts += [tag("a", f"same request: record {seq}", href=f"#r{seq}-d") for seq in case.same_request]
        parts += [
            f"stage {decision.stage}", f"state version {decision.version}", f"epoch {decision.epoch}",
            f"policy {decision.policy[:12]}",
        ]  # fmt: skip
        return tag("footer", join(parts, " · "), class_="meta")


def _expiry(grant: Grant) -> str:
    return f"{clock(grant.expires_at_ms)} ({duration(grant.expires_at_ms - grant.minted_at_ms)} from minting)"


def _about(about: About) -> Html:
    owner = tag("span", " — ", about.owner, class_="owner") if about.owner else None
    return tag("span", about.why, owner)


def _values(values: dict[str, Value]) -> Html:
    shown = (join((tag("code", name), " = ", tag("span", value, class_="value"))) for name, value in values.items())
    return join(shown, ", ")


def _facts(rows: Sequence[tuple[str, object]]) -> Html:
    return tag("dl", join(tag("div", tag("dt", name), tag("dd", value)) for name, value in rows))
