"""How answers and signals are read: confusion tables, rates with Wilson intervals, goals, speed; a naive list beside.

    [VOICEWARDEN_DEV_DATA=folder] python benchmarks/consent.py [--json FILE]

Sets of this project are in `tests/unit/reading/data` and `adversarial.py`. The development data (a folder with
`consent_sgd_dev.jsonl`, `consent_circa_dev.jsonl`, `consent_clinc.jsonl`) is not part of the repository; without it its
goals are left out. Rates are given for distinct texts too, since people say the same few words again and again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from voicewarden.config.lexicon_file import load_lexicon
from voicewarden.reading.consent import read
from voicewarden.reading.heard import signals
from voicewarden.reading.lexicon import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Judge = Callable[[str, str], str]
    OptOut = Callable[[str], bool]

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP))
from tests.unit.reading import adversarial  # noqa: E402  # the tests are no package that is installed

OWN = TOP / "tests" / "unit" / "reading" / "data"
KINDS = ("explicit", "conditional", "ambiguous", "refused", "revoked", "question", "other")
SETS = {"sgd": "consent_sgd_dev.jsonl", "circa": "consent_circa_dev.jsonl", "clinc": "consent_clinc.jsonl"}
STAND_IN = "Is that right?"
"""CLINC has no prompts, and without a question nothing is ever a yes."""
YES_LABELS = {"AFFIRM", "AFFIRM+more", "Yes", "yes"}
NAIVE_YES = re.compile(r"\b(yes|yeah|yep|yup|sure|ok|okay|correct|right|absolutely|great|perfect|sounds good)\b", re.I)
NAIVE_NO = re.compile(r"\b(no|nope|not|don't|never|can't|won't)\b", re.I)
NAIVE_OPT_OUT = re.compile(
    r"\b(stop (calling|contacting|texting)|(do not|don't|never) (call|contact)|(take|get) (me|us|my number) off|"
    r"remove (me|us|my)|unsubscribe|opt out|do not call list|leave me alone|no more calls)\b", re.I,
)  # fmt: skip


class Rate(NamedTuple):
    """A rate by its counts, and the goal that it has to keep."""

    name: str
    hits: int
    n: int
    at_least: float | None = None
    at_most: float | None = None

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, or nothing where no goal is set."""
        share = self.hits / self.n if self.n else 0.0
        if self.at_least is not None:
            return f"goal >= {100 * self.at_least:g} %: {'met' if share >= self.at_least else 'MISSED'}"
        if self.at_most is not None:
            return f"goal <= {100 * self.at_most:g} %: {'met' if share <= self.at_most else 'MISSED'}"
        return ""


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a rate."""
    if not n:
        return 0.0, 1.0
    z = 1.959964
    centre, spread = hits / n + z * z / (2 * n), z * math.sqrt(hits * (n - hits) / n**3 + z * z / (4 * n * n))
    return (max(0.0, (centre - spread) / (1 + z * z / n)), min(1.0, (centre + spread) / (1 + z * z / n)))


def show(rates: Iterable[Rate]) -> None:
    """Print rates with interval, counts and goal."""
    for rate in rates:
        low, high = wilson(rate.hits, rate.n)
        share = f"{100 * rate.hits / rate.n if rate.n else 0:7.2f} % [{100 * low:.2f}, {100 * high:.2f}]"
        print(f"  {rate.name:<46}{share} ({rate.hits}/{rate.n})  {rate.verdict}".rstrip())


def rows(folder: Path, name: str) -> Iterator[tuple[str, str, str]]:
    """Yield question, answer and label; an affirmation with more to it has a label of its own."""
    for line in (folder / SETS[name]).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        label = row["label"]
        if label == "AFFIRM" and "+" in row["source"].rpartition("acts ")[2]:
            label = "AFFIRM+more"
        yield row.get("prompt", STAND_IN), row["text"], label


def own(name: str) -> list[str]:
    """The lines of a set of this project."""
    lines = (OWN / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def naive(_question: str, answer: str) -> str:
    """Read an answer as most scripts do: a yes-word and no no-word."""
    if NAIVE_NO.search(answer):
        return "refused"
    return "explicit" if NAIVE_YES.search(answer) else "other"


def confusion(material: Iterable[tuple[str, str, str]], judge: Judge) -> dict[str, Counter[str]]:
    """Count readings by label."""
    table: dict[str, Counter[str]] = {}
    for question, answer, label in material:
        table.setdefault(label, Counter())[judge(question, answer)] += 1
    return table


def print_table(name: str, table: dict[str, Counter[str]]) -> None:
    """Print one confusion table."""
    print(f"\n{name:<42}{'n':>6}" + "".join(f"{kind:>12}" for kind in KINDS))
    for label, counts in sorted(table.items()):
        print(f"  {label:<40}{counts.total():>6}" + "".join(f"{counts[kind]:>12}" for kind in KINDS))


def own_answers() -> dict[str, list[tuple[str, str, str]]]:
    """The answers of this project, by set."""
    near = own("near_yes.txt")
    return {
        "plain yes": [(adversarial.BOOK, text, "yes") for text in own("plain_yes.txt")],
        "near yes": [(question, text, "no yes") for question in adversarial.QUESTIONS for text in near],
        "adversarial": [(question, text, "no yes") for question, text in adversarial.items()],
        "back-channels": [(adversarial.BOOK, text, "no yes") for text in adversarial.back_channels()],
        "no question": [("", text, "no yes") for text in own("plain_yes.txt")],
    }


def own_rates(judge: Judge) -> list[Rate]:
    """False yes and recall on the sets of this project."""
    found: list[Rate] = []
    for name, material in own_answers().items():
        explicit = sum(judge(question, text) == "explicit" for question, text, _ in material)
        if name == "plain yes":
            found.append(Rate("recall, plain yes", explicit, len(material), at_least=0.8))
        else:
            found.append(Rate(f"false yes, {name}", explicit, len(material), at_most=0.0))
    return found


def dev_rates(tables: dict[str, dict[str, Counter[str]]]) -> list[Rate]:
    """The headline rates on the development data."""
    sgd = tables["sgd"]
    yes, no = sgd["AFFIRM"]["explicit"] + sgd["AFFIRM+more"]["explicit"], sgd["NEGATE"]["explicit"]
    told = [
        Rate("explicit precision, AFFIRM against NEGATE", yes, yes + no, at_least=0.995),
        Rate("recall of plain yes (AFFIRM alone)", sgd["AFFIRM"]["explicit"], sgd["AFFIRM"].total(), at_least=0.8),
    ]
    for name, table in tables.items():
        others = [counts for label, counts in table.items() if label not in YES_LABELS]
        wrong = sum(counts["explicit"] for counts in others)
        told.append(Rate(f"false yes, {name}", wrong, sum(counts.total() for counts in others), at_most=0.01))
    return told


def signal_rates(opts_out: OptOut, reader: Reader, folder: Path | None) -> list[Rate]:
    """Opt-outs and their near misses, then every other signal by its kind."""
    wanted, near = own("opt_out.txt"), own("not_opt_out.txt")
    told = [
        Rate("opt-out recall, wordings of this project", sum(map(opts_out, wanted)), len(wanted), at_least=0.98),
        Rate("false opt-outs, near misses", sum(map(opts_out, near)), len(near), at_most=0.005),
    ]
    if folder is not None:
        texts = [answer for name in SETS for _, answer, _ in rows(folder, name)]
        told.append(Rate("false opt-outs, development data", sum(map(opts_out, texts)), len(texts), at_most=0.005))
    lines = [line.partition(": ") for line in own("signals.txt")]
    for kind in dict.fromkeys(kind for kind, _, _ in lines):
        found = [{one.kind for one in signals(reader, tuple(text.split()))} for name, _, text in lines if name == kind]
        if kind == "none":
            told.append(Rate("any signal where there is none", sum(map(bool, found)), len(found), at_most=0.02))
        else:
            told.append(Rate(f"recall, {kind}", sum(kind in one for one in found), len(found), at_least=0.9))
    return told


def speed(reader: Reader) -> list[float]:
    """Return p50, p99 and p99.9 of reading one answer, in microseconds, after a first pass."""
    answers = [tuple(text.split()) for _, text in adversarial.items()]
    taken: list[int] = []
    for _ in range(3):
        taken = []
        for answer in answers:
            start = time.perf_counter_ns()
            read(reader, adversarial.BOOK, answer)
            taken.append(time.perf_counter_ns() - start)
    taken.sort()
    return [taken[min(len(taken) - 1, int(len(taken) * share))] / 1000 for share in (0.5, 0.99, 0.999)]


def report(judges: dict[str, tuple[Judge, OptOut]], reader: Reader, folder: Path | None) -> dict[str, list[Rate]]:
    """Print all tables and rates; returns the rates by what they are about."""
    figures: dict[str, list[Rate]] = {}
    ours = next(iter(judges))
    if folder is not None:
        for name in SETS:
            print_table(name, confusion(rows(folder, name), judges[ours][0]))
    for name, material in own_answers().items():
        print_table(name, confusion(material, judges[ours][0]))
    for who, (judge, opts_out) in judges.items():
        for is_distinct in (False, True) if folder is not None else ():
            tables = {}
            for name in SETS:
                every = list(rows(folder, name))
                distinct = {(answer, label): (asked, answer, label) for asked, answer, label in every}
                tables[name] = confusion(distinct.values() if is_distinct else every, judge)
            figures[f"{who}, development data, {'distinct texts' if is_distinct else 'all rows'}"] = dev_rates(tables)
        figures[f"{who}, sets of this project"] = own_rates(judge)
        most = None if who == ours else 3
        figures[f"{who}, signals"] = signal_rates(opts_out, reader, folder)[:most]
    for title, rates in figures.items():
        print(f"\n{title}")
        show(rates if title.startswith(ours) else [rate._replace(at_least=None, at_most=None) for rate in rates])
    return figures


def commit() -> str:
    """Short id of the commit that was measured."""
    found = subprocess.run(["git", "-C", str(TOP), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return found.stdout.strip() or "uncommitted"


def main() -> int:
    """Print everything; write JSON if asked to."""
    parser = argparse.ArgumentParser(description="How answers and signals are read.")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    given = Path(os.environ.get("VOICEWARDEN_DEV_DATA", ""))
    folder = given if os.environ.get("VOICEWARDEN_DEV_DATA") and (given / SETS["sgd"]).is_file() else None
    if folder is None:
        print("without development data: VOICEWARDEN_DEV_DATA names no folder that holds it", file=sys.stderr)
    reader = Reader(load_lexicon(TOP / "config" / "lexicons" / "en.yaml"))
    judges: dict[str, tuple[Judge, OptOut]] = {
        "voicewarden": (
            lambda question, answer: read(reader, question, tuple(answer.split())).kind,
            lambda text: any(one.kind == "opt_out" for one in signals(reader, tuple(text.split()))),
        ),
        "naive word list": (naive, lambda text: NAIVE_OPT_OUT.search(text) is not None),
    }
    machine = f"python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}; commit {commit()}")
    figures = report(judges, reader, folder)
    p50, p99, p999 = speed(reader)
    verdict = "met" if p50 <= 60 else "MISSED"
    print(f"\nreading one answer, us: p50 {p50:.1f}, p99 {p99:.1f}, p99.9 {p999:.1f}; goal p50 <= 60: {verdict}")
    if arguments.json:
        rates = {title: {one.name: [one.hits, one.n, one.verdict] for one in told} for title, told in figures.items()}
        told = {"machine": machine, "commit": commit(), "rates": rates, "read_us": [p50, p99, p999]}
        arguments.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
