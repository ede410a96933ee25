"""How answers are read, on development data: confusion tables, false-yes rates with Wilson intervals, speed.

Usage: VOICEWARDEN_DEV_DATA=folder python benchmarks/consent.py [--json FILE]. The folder holds `consent_sgd_dev.jsonl`,
`consent_circa_dev.jsonl` and `consent_clinc.jsonl`. A naive word list is read beside it, as the baseline to beat.
"""

import argparse
import json
import math
import os
import platform
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import yaml

from voicewarden.reading.consent import read
from voicewarden.reading.heard import signals
from voicewarden.reading.lexicon import Lexicon, Reader

TOP = Path(__file__).resolve().parents[1]
KINDS = ("explicit", "conditional", "ambiguous", "refused", "revoked", "question", "other")
SETS = ("sgd", "circa", "clinc")
FILES = {"sgd": "consent_sgd_dev.jsonl", "circa": "consent_circa_dev.jsonl", "clinc": "consent_clinc.jsonl"}
# CLINC has no prompts, and without a question nothing is ever a yes.
STAND_IN = "Is that right?"
YES_LABELS = {"AFFIRM", "AFFIRM+more", "Yes", "yes"}
NAIVE_YES = re.compile(r"\b(yes|yeah|yep|yup|sure|ok|okay|correct|right|absolutely|great|perfect|sounds good)\b", re.I)
NAIVE_NO = re.compile(r"\b(no|nope|not|don't|never|can't|won't)\b", re.I)

Judge = Callable[[str, str], str]


def rows(folder: Path, name: str) -> Iterator[tuple[str, str, str]]:
    """Yield question, answer and label; an affirmation with more to it has a label of its own."""
    for line in (folder / FILES[name]).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        label = row["label"]
        if label == "AFFIRM" and "+" in row["source"].rpartition("acts ")[2]:
            label = "AFFIRM+more"
        yield row.get("prompt", STAND_IN), row["text"], label


def naive(_question: str, answer: str) -> str:
    """Read an answer as most scripts do: a yes-word and no no-word."""
    if NAIVE_NO.search(answer):
        return "refused"
    return "explicit" if NAIVE_YES.search(answer) else "other"


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a rate."""
    if not n:
        return 0.0, 1.0
    z = 1.959964
    centre, spread = hits / n + z * z / (2 * n), z * math.sqrt(hits * (n - hits) / n**3 + z * z / (4 * n * n))
    return (max(0.0, (centre - spread) / (1 + z * z / n)), min(1.0, (centre + spread) / (1 + z * z / n)))


def shown(hits: int, n: int) -> str:
    """Print a rate with its interval and its counts."""
    low, high = wilson(hits, n)
    return f"{100 * hits / n if n else 0:6.2f} % [{100 * low:.2f}, {100 * high:.2f}] ({hits}/{n})"


def confusion(folder: Path, name: str, judge: Judge, *, is_distinct: bool) -> dict[str, Counter[str]]:
    """Count readings by label."""
    table: dict[str, Counter[str]] = {}
    material = list(rows(folder, name))
    if is_distinct:
        material = list({(answer, label): (question, answer, label) for question, answer, label in material}.values())
    for question, answer, label in material:
        table.setdefault(label, Counter())[judge(question, answer)] += 1
    return table


def print_table(name: str, table: dict[str, Counter[str]]) -> None:
    """Print one confusion table."""
    print(f"\n{name:<42}{'n':>6}" + "".join(f"{kind:>12}" for kind in KINDS))
    for label, counts in sorted(table.items()):
        print(f"  {label:<40}{counts.total():>6}" + "".join(f"{counts[kind]:>12}" for kind in KINDS))


def rates(tables: dict[str, dict[str, Counter[str]]]) -> dict[str, tuple[int, int]]:
    """Return the headline rates as hits and n."""
    sgd = tables["sgd"]
    yes, no = sgd["AFFIRM"]["explicit"] + sgd["AFFIRM+more"]["explicit"], sgd["NEGATE"]["explicit"]
    told = {"explicit precision, AFFIRM against NEGATE": (yes, yes + no)}
    told["recall of plain yes (AFFIRM alone)"] = (sgd["AFFIRM"]["explicit"], sgd["AFFIRM"].total())
    hits = n = 0
    for name in SETS:
        others = [counts for label, counts in tables[name].items() if label not in YES_LABELS]
        wrong, total = sum(counts["explicit"] for counts in others), sum(counts.total() for counts in others)
        told[f"false yes among non-yes, {name}"] = (wrong, total)
        hits, n = hits + wrong, n + total
    told["false yes among non-yes, all"] = (hits, n)
    return told


def speed(folder: Path, reader: Reader) -> list[float]:
    """Return p50, p99 and p99.9 of reading one answer, in microseconds, after a first pass."""
    question = "Shall I book a haircut for Tuesday the first of December at 3 pm? Please say: yes, book it."
    answers = [tuple(answer.split()) for _, answer, _ in rows(folder, "sgd")]
    taken: list[int] = []
    for _ in range(2):
        taken = []
        for answer in answers:
            start = time.perf_counter_ns()
            read(reader, question, answer)
            taken.append(time.perf_counter_ns() - start)
    taken.sort()
    return [taken[min(len(taken) - 1, int(len(taken) * share))] / 1000 for share in (0.5, 0.99, 0.999)]


def main() -> int:
    """Print everything; write JSON if asked to."""
    parser = argparse.ArgumentParser(description="How answers are read, on development data.")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    folder = Path(os.environ.get("VOICEWARDEN_DEV_DATA", ""))
    if not os.environ.get("VOICEWARDEN_DEV_DATA") or not (folder / FILES["sgd"]).is_file():
        print("set VOICEWARDEN_DEV_DATA to the folder that holds " + ", ".join(FILES.values()), file=sys.stderr)
        return 2
    data = yaml.safe_load((TOP / "config" / "lexicons" / "en.yaml").read_text(encoding="utf-8"))
    reader = Reader(msgspec.convert(data, Lexicon))
    judges: dict[str, Judge] = {
        "voicewarden": lambda question, answer: read(reader, question, tuple(answer.split())).kind,
        "naive word list": naive,
    }
    print(f"python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    figures: dict[str, object] = {}
    for who, judge in judges.items():
        for is_distinct in (False, True):
            tables = {name: confusion(folder, name, judge, is_distinct=is_distinct) for name in SETS}
            if who == "voicewarden" and not is_distinct:
                for name, table in tables.items():
                    print_table(name, table)
            told = rates(tables)
            print(f"\n{who}, {'distinct texts' if is_distinct else 'all rows'}")
            for rate, (hits, n) in told.items():
                print(f"  {rate:<44}{shown(hits, n)}")
            figures[f"{who}, {'distinct' if is_distinct else 'all'}"] = told
    texts = [answer for name in SETS for _, answer, _ in rows(folder, name)]
    false = sum(any(one.kind == "opt_out" for one in signals(reader, tuple(text.split()))) for text in texts)
    print(f"\n{'false opt-outs, all sets':<46}{shown(false, len(texts))}")
    p50, p99, p999 = speed(folder, reader)
    figures["read_us"] = [p50, p99, p999]
    print(f"{'reading one answer, us':<46}p50 {p50:.1f}, p99 {p99:.1f}, p99.9 {p999:.1f} (second pass over sgd)")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
