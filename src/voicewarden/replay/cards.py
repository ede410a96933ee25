"""Decisions of a call as cards, what matters first, and the many allowed sentences in folded lists.

In: cases and the parts of a card. Out: HTML. Used by the call report.
"""

from collections.abc import Sequence

from voicewarden.replay.card import Card
from voicewarden.replay.cases import Case, Weight
from voicewarden.replay.english import reasons_in_words
from voicewarden.replay.markup import Html, join, record_link, tag
from voicewarden.replay.transcript import badge
from voicewarden.replay.wording import clock, plain

_GROUPS: tuple[tuple[Weight, str], ...] = (
    ("late", "Sentences of the model that came when their moment was over"),
    ("said", "Sentences of the model that were allowed"),
    ("tokens", "The model was given the word within its budget"),
    ("escape", "Permissions kept in reserve from the start, so that stopping never waits"),
)


def show_cards(cases: Sequence[Case], card: Card) -> Html:
    """Cards of what matters, then the rest in folded groups."""
    weighty = [card.show(case) for case in cases if case.weight in ("action", "held")]
    if not weighty:
        weighty = [tag("p", "No action was asked for, and no sentence was refused for its words.", class_="missing")]
    return join((*weighty, *(_group(weight, title, cases, card) for weight, title in _GROUPS)))


def _group(weight: Weight, title: str, cases: Sequence[Case], card: Card) -> Html:
    chosen = [case for case in cases if case.weight == weight]
    if not chosen:
        return Html("")
    rows = join(_small(case, card) for case in chosen)
    return tag("details", tag("summary", f"{title}: {len(chosen)}"), tag("ol", rows, class_="small"), class_="group")


def _small(case: Case, card: Card) -> Html:
    reasons = reasons_in_words([reason for reason in case.decision.reasons if reason.verdict != "allow"])
    what = f"“{case.proposed}”" if case.proposed else plain(case.decision.request.replace(":", " "))
    end = card.end(case) if case.grant else None
    meta = tag("span", join((part for part in (reasons, end, record_link(case.seq)) if part), " "), class_="meta")
    return tag(
        "li", tag("span", clock(case.at_ms), class_="at"), badge(case.decision.verdict), " ", what, " ", meta,
        card.reviews(case), id=f"r{case.seq}-d",
    )  # fmt: skip
