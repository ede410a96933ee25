"""Whatever happens in whatever order, a limit holds at every moment, and a plain list gives the same answers."""

import tempfile
from pathlib import Path
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from voicewarden.contacts import Cap, Counts, Subject, claim
from voicewarden.ledger import Ledger, verify
from voicewarden.model.error import GrantRefused

BEGIN = 1_790_000_000_000
CAPS = (
    Cap("book.limits.1", "book", "person", 60, 2),
    Cap("book.limits.2", "book", "person", 600, 3),
    Cap("book.limits.3", "book", "campaign", 60, 3),
    Cap("book.limits.4", "book", "agent", 300, 3, is_enforced=False),
    Cap("send.limits.1", "send", "person", 60, 1),
)
SUBJECTS = st.builds(
    Subject,
    st.sampled_from([("anna",), ("bert",), ("anna again", "anna")]),
    st.sampled_from(["", "spring"]),
    st.sampled_from(["booking", "closing"]),
)


class Use(NamedTuple):
    """One burn as the model remembers it."""

    grant: str
    call: str
    action: str
    subject: Subject
    unix_ms: int


def same(cap: Cap, one: Subject, other: Subject) -> bool:
    """Whether a use by `one` counts for `other`: under any name that the other is known by."""
    if cap.scope == "person":
        return one.person[0] in other.person
    return one.campaign == other.campaign if cap.scope == "campaign" else one.agent == other.agent


class Counting(RuleBasedStateMachine):
    """A ledger beside a list of uses."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.db"
        self.ledger = Ledger.open(self.path)
        self.now = BEGIN
        self.uses: list[Use] = []
        self.spent: set[str] = set()
        self.back: set[str] = set()

    def used(self, cap: Cap, subject: Subject, other_than: str = "") -> int:
        """What the list says."""
        since = self.now - cap.in_s * 1000
        return sum(
            use.action == cap.action and same(cap, use.subject, subject) and use.unix_ms > since
            and use.grant not in self.back and use.call != other_than
            for use in self.uses
        )  # fmt: skip

    @rule(seconds=st.integers(-30, 200))
    def time_passes(self, seconds: int) -> None:
        """Sometimes the clock is set back."""
        self.now += seconds * 1000

    @rule(
        call=st.sampled_from("abcd"), seq=st.integers(0, 9), action=st.sampled_from(["book", "send"]), subject=SUBJECTS
    )
    def burn(self, call: str, seq: int, action: str, subject: Subject) -> None:
        """A grant is burnt, or refused as a whole."""
        caps = [cap for cap in CAPS if cap.action == action]
        full = any(cap.is_enforced and self.used(cap, subject) >= cap.at_most for cap in caps)
        grant = f"{call}/{seq}"
        try:
            claims = [claim(cap, subject, now_unix_ms=self.now) for cap in caps]
            assert self.ledger.burn(grant, call, 0, 0, claims=claims) is (grant not in self.spent)
        except GrantRefused:
            assert full and grant not in self.spent
            return
        assert grant in self.spent or not full
        if grant not in self.spent:
            self.spent.add(grant)
            self.uses.append(Use(grant, call, action, subject, self.now))

    @rule(call=st.sampled_from("abcd"), seq=st.integers(0, 9))
    def give_back(self, call: str, seq: int) -> None:
        """Nothing happened after all."""
        grant = f"{call}/{seq}"
        self.ledger.give_back(grant)
        if grant in self.spent:
            self.back.add(grant)

    @rule()
    def reopen(self) -> None:
        """The process ends and another begins."""
        self.ledger.close()
        self.ledger = Ledger.open(self.path)

    @rule(subject=SUBJECTS, call=st.sampled_from(["a", "b", "none"]))
    def count(self, subject: Subject, call: str) -> None:
        """What the kernel would be told."""
        self.ledger.flush()
        for cap in CAPS:
            found = Counts(self.ledger).used(cap, subject, call=call, now_unix_ms=self.now)
            assert found == min(self.used(cap, subject, call), cap.at_most)

    @invariant()
    def no_limit_is_passed(self) -> None:
        """By nobody who is known by one name."""
        for cap in CAPS:
            for use in self.uses if cap.is_enforced else ():
                if len(use.subject.person) == 1 and use.unix_ms <= self.now:
                    within = [
                        other for other in self.uses
                        if other.action == cap.action and same(cap, other.subject, use.subject)
                        and use.unix_ms - cap.in_s * 1000 < other.unix_ms <= use.unix_ms
                        and other.grant not in self.back
                    ]  # fmt: skip
                    assert cap.action != use.action or len(within) <= cap.at_most

    def teardown(self) -> None:
        """The chains hold; each place belongs to its burn."""
        self.ledger.close()
        with Ledger.read(self.path) as view:
            assert not [problem for problem in verify(view).problems if "gave its place" not in problem.what]
        self.folder.cleanup()


TestCounting = Counting.TestCase
TestCounting.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
