"""What a reason rests on, said with its content: the words of the turn, the sentence that was heard, the fact declared.

In: entries. Out: HTML with links to the records. Used by the decision cards.
"""

from voicewarden.model.directive import Speak
from voicewarden.model.event import CallerSpoke, CallerTurnEnded, CallStarted, SentencePlayed, SentenceStarted
from voicewarden.replay.entries import Entries
from voicewarden.replay.markup import Html, join, record_link, tag
from voicewarden.replay.wording import summary


class Evidence:
    """Tells what a record says, where the record alone would only name something else."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self._sentences: dict[str, str] = {}
        self._turns: dict[int, list[tuple[int, str]]] = {}
        for entry in entries.items:
            match entry.value:
                case Speak(sentence=sentence, text=text):
                    self._sentences[sentence] = text
                case CallerSpoke(turn=turn, text=text):
                    self._turns.setdefault(turn, []).append((entry.seq, text))
                case _:
                    pass

    def tell(self, seq: int, facts: str) -> Html:
        """The record of this number in words; `facts` are those that the reason looked at, separated by commas."""
        entry = self._entries.by_seq.get(seq)
        if entry is None:
            return tag("span", f"record {seq}, which is missing", class_="missing")
        return join((record_link(seq), f": {summary(entry)}", *self._content(seq, facts)))

    def _content(self, seq: int, facts: str) -> tuple[object, ...]:
        match self._entries.by_seq[seq].value:
            case CallerTurnEnded(turn=turn):
                said = (part for at, text in self._turns.get(turn, ()) for part in (", ", record_link(at, f"“{text}”")))
                return tuple(said)
            case SentenceStarted(sentence=sentence) | SentencePlayed(sentence=sentence):
                text = self._sentences.get(sentence)
                return (f": “{text}”",) if text else ()
            case CallStarted(facts=declared):
                named = [name for name in facts.split(", ") if name in declared]
                return tuple(f", declared {name} = {str(declared[name]).lower()}" for name in named)
            case _:
                return ()
