"""The greetings of a split: groups of near-same wordings dealt out in turn, so that no wording is in both.

In: the groups of `human_texts` and `machine_texts`, and compositions of recorded prompts. Out: `Text`s. Called by
`casting`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from voicewarden.model.action import AnswererVerdict
from voicewarden.rehearsal.answers.clip import Split
from voicewarden.rehearsal.answers.human_texts import HUMAN, Groups
from voicewarden.rehearsal.answers.machine_texts import MENU, SCREENING, UNAVAILABLE, VOICEMAIL

_WRITTEN: Final[dict[AnswererVerdict, Mapping[str, Groups]]] = {
    "human": HUMAN, "voicemail": VOICEMAIL, "menu": MENU, "screening": SCREENING, "unavailable": UNAVAILABLE,
}  # fmt: skip


class Text(msgspec.Struct, frozen=True):
    """Something that whoever answers says: words with pauses, or the names of recorded prompts."""

    verdict: AnswererVerdict
    shape: str
    family: str
    words: str = ""
    prompts: tuple[str, ...] = ()
    has_beep: bool = False


_DIGITS: Final = ("digits/5", "digits/5", "digits/1", "digits/2")
_OTHER_DIGITS: Final = ("digits/4", "digits/0", "digits/7")

RECORDED: Final[tuple[Text, ...]] = (
    Text("human", "hello", "hello", prompts=("hello",)),
    Text("human", "hello", "hello twice", prompts=("hello", "hello")),
    Text("human", "name", "Mike", prompts=("hello", "phonetic/m_p")),
    Text("human", "name", "Oscar", prompts=("phonetic/o_p",)),
    Text("human", "name", "Victor", prompts=("phonetic/v_p",)),
    Text("human", "name", "Juliet", prompts=("hello", "phonetic/j_p")),
    Text("human", "name", "Charlie Papa", prompts=("phonetic/c_p", "phonetic/p_p")),
    Text("human", "question", "one moment", prompts=("one-moment-please",)),
    Text("human", "question", "hello, one moment", prompts=("hello", "one-moment-please")),
    Text("human", "odd", "card 1", prompts=("001",)),
    Text("human", "odd", "card 2", prompts=("002",)),
    Text("human", "odd", "card 3", prompts=("003",)),
    Text("human", "odd", "card 4", prompts=("004",)),
    Text("voicemail", "carrier", "person", prompts=("vm-theperson", *_DIGITS, "vm-isunavail", "vm-intro")),
    Text("voicemail", "carrier", "phone", prompts=("vm-theperson", *_OTHER_DIGITS, "vm-isonphone", "vm-intro")),
    Text("voicemail", "carrier", "nobody", prompts=("vm-nobodyavail", "vm-intro")),
    Text("voicemail", "carrier", "extension", prompts=("vm-extension", *_DIGITS, "vm-isunavail", "vm-leavemsg")),
    Text("voicemail", "carrier", "intro", prompts=("vm-intro",)),
    Text("voicemail", "carrier", "hello", prompts=("hello", "vm-nobodyavail", "vm-intro")),
    Text("voicemail", "full", "full", prompts=("vm-mailboxfull", "vm-goodbye")),
    Text("voicemail", "full", "no box", prompts=("vm-theperson", *_OTHER_DIGITS, "vm-isunavail", "vm-goodbye")),
    Text("menu", "press", "directory", prompts=("dir-welcome", "dir-intro")),
    Text("menu", "press", "demo", prompts=("demo-congrats",)),
    Text("menu", "press", "exchange", prompts=("basic-pbx-ivr-main",)),
    Text("menu", "press", "options", prompts=("vm-opts",)),
    Text("screening", "network", "unidentified", prompts=("privacy-unident", "privacy-prompt")),
    Text("screening", "network", "record", prompts=("priv-recordintro",)),
    Text("unavailable", "network", "circuits", prompts=("all-circuits-busy-now", "please-try-call-later")),
    Text("unavailable", "network", "dialed", prompts=("cannot-complete-as-dialed", "check-number-dial-again")),
    Text("unavailable", "network", "no service", prompts=("ss-noservice",)),
    Text("unavailable", "network", "no answer", prompts=("number-not-answering", "please-try-call-later")),
    Text("unavailable", "network", "unknown number", prompts=("invalid",)),
    Text("unavailable", "network", "limit", prompts=("simul-call-limit-reached",)),
)
"""Greetings put together from recorded prompts; a voice says those of which it has every prompt."""


def written(split: Split) -> Iterator[Text]:
    """The texts of ours that belong to a split."""
    for verdict, shapes in _WRITTEN.items():
        for shape, groups in shapes.items():
            for number, group in enumerate(groups):
                if number % 2 == (split == "test"):
                    for words in group:
                        yield Text(verdict, shape, f"{shape} {number}", words, has_beep=_has_beep(verdict, shape))


def recorded(language: str) -> Iterator[Text]:
    """What recordings say; in another language it is another text."""
    for text in RECORDED:
        yield msgspec.structs.replace(
            text, family=f"recorded {text.family} {language}", has_beep=_has_beep(text.verdict, text.shape)
        )


def _has_beep(verdict: AnswererVerdict, shape: str) -> bool:
    """Mailboxes beep unless they take no message; some screens do, too, but then they wait for a name."""
    return verdict == "voicemail" and shape != "full"
