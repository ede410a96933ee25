"""Answers that sound like a yes and are none, put together from parts: negations, hedges, conditions, sarcasm, changes.

`items()` gives more than a thousand (question, answer) pairs. None of them may read as explicit. Written for this
project; used by the tests and by `benchmarks/consent.py`.
"""

from collections.abc import Iterator
from itertools import product
from typing import Final

BOOK: Final = "Shall I book a haircut for Tuesday the first of December at 3 pm? Please say: yes, book it."
TRANSFER: Final = "Shall I put you through to sales now? Please say: yes, go ahead. Or press one."
SEND: Final = "Shall I send you the link by text message?"
RIGHT: Final = "So that is a table for four at seven, is that right?"
QUESTIONS: Final = (BOOK, TRANSFER, SEND, RIGHT)

_YES: Final = ("yes", "yeah", "sure", "okay", "yes please", "go ahead", "that's fine", "sounds good", "of course")
_NEGATED: Final = (
    "not", "no", "not really", "I don't think so", "don't", "never", "not yet", "not at all", "no way", "nope",
    "I'd rather not", "but no", "wait no", "actually no", "on second thought no", "don't do it", "not now",
)  # fmt: skip
_HEDGED: Final = (
    "maybe", "I guess", "I suppose", "probably", "I think", "perhaps", "kind of", "possibly", "I'm not sure",
    "let me think", "I don't know", "we'll see", "more or less", "it depends", "sort of", "might be", "hopefully",
)  # fmt: skip
_CONDITIONS: Final = (
    "if it's free", "if my wife agrees", "unless it rains", "as long as it's cheap", "provided I get a discount",
    "when I'm back", "but only on Friday", "but not Tuesday", "but cheaper", "after I talk to my husband",
    "only if you call first", "once I've checked", "but what about my deposit", "except the time",
    "assuming it's open", "but I have a question", "however I want it later", "until I change my mind",
    "on one condition",
)  # fmt: skip
_OTHER_WISHES: Final = (
    "at five", "on Wednesday", "for two people", "next week", "but make it four", "and a shave too",
    "tomorrow instead", "a different day", "in the morning", "with another stylist", "at half past two",
    "the second of December",
)  # fmt: skip
_SARCASM: Final = (
    "yeah right", "sure, whatever you say", "oh great", "yeah yeah", "sure sure", "as if", "in your dreams",
    "yeah, like that's going to happen", "sure, why don't you also take my house", "oh sure", "yeah whatever",
    "right, because that worked so well last time", "yes, of course, your majesty", "great, just great",
    "wonderful, another robot", "yeah, when pigs fly", "sure buddy", "oh yes, and the moon is made of cheese",
    "yes yes yes blah blah", "fine, whatever", "oh perfect, just what I needed", "sure, if you say so",
)  # fmt: skip
_HEARD: Final = (
    "yes I heard you", "yeah I'm listening", "yes I'm here", "yes I'm still here", "yeah hello", "yes speaking",
    "yes what is it", "yes who is this", "yeah go on I'm listening", "yes I understand the question",
    "okay I heard what you said", "yes I can hear you", "right I see", "uh huh I follow", "yeah I know",
    "yes I know that", "yes I got your letter", "yeah I remember", "yes this is Anna", "yes I know what you want",
    "yes I am thinking about it", "yes you asked me that", "yeah you said that already", "okay okay I get it",
    "yes that's the question isn't it", "yes and", "yes or no", "yes means what exactly", "did I say yes",
    "I never said yes", "I didn't say yes", "who said yes", "what if I say yes", "why would I say yes",
    "should I say yes", "my wife said yes but I say no", "he said yes", "she might say yes", "I said yes yesterday",
    "I would have said yes last week", "don't take that as a yes", "that is not a yes",
    "yes is what you want to hear", "if I say yes what happens", "before I say yes tell me the price",
    "I can't say yes", "I won't say yes", "you want me to say yes", "I'm supposed to say yes now", "say yes he says",
    "press one you say",
)  # fmt: skip
_BACK_CHANNELS: Final = (
    "mm-hm", "uh-huh", "mhm", "okay", "right", "I see", "got it", "hmm", "ah", "oh", "mm", "all right", "good",
    "oh okay", "right right", "okay okay", "uh huh okay", "mm-hm right", "I see I see", "alright then", "interesting",
    "oh really", "is that so", "fair enough", "cool", "nice", "great", "no kidding", "huh", "well", "so", "and",
)  # fmt: skip
_TURNED: Final = (
    "yeah no", "no yeah", "yes no maybe", "yes... no", "yes no", "no yes no", "yes wait", "yes hold on",
    "yes one moment", "yeah nah", "yes and no", "yes I mean no", "yeah actually I don't", "yes hmm no", "sure not",
    "of course not", "absolutely not", "definitely not", "certainly not", "okay no", "fine no",
    "go ahead and cancel it", "go ahead and forget it", "book it for someone else", "book something else",
    "yes cancel it", "yes stop", "yes stop calling", "yes take me off your list", "yes I want to speak to a person",
    "yes put me through to a human instead", "yes but I want a human", "yes are you a robot", "yes how much is it",
    "yes when was that again", "yes what time", "yes where is it", "yes can I bring my dog", "yes is it refundable",
    "yes do you have parking", "okay what else", "yes let me ask my wife", "yes I need to check first",
    "yes call me tomorrow", "yes later", "yes another time", "yes I would if I could", "yes I wish", "yes in theory",
    "that's what you think", "that would be a no", "that's a no", "it's a no from me", "hard no", "big no",
    "I'd love to but I can't", "I'd like to but not today", "sounds good but no", "sounds good but not for me",
    "that works for you maybe", "that works except the day", "perfect except the price",
    "that's fine for my wife not for me", "go ahead I'm not stopping you", "go ahead and try",
    "do it and I'll sue you", "do what you want", "do whatever", "you can say yes", "everyone says yes",
    "they all say yes", "yes sir no sir three bags full sir", "yesterday", "yes man", "yes is a band",
    "surely you're joking", "sure about that", "are you sure", "sure of what", "right now I can't", "right, no",
    "correct me if I'm wrong", "exactly not what I want", "exactly the opposite", "definitely maybe",
    "absolutely nothing", "okay boomer", "fine print please", "fine for Monday",
)  # fmt: skip


def _pairs() -> Iterator[str]:
    for yes, spoiler in product(_YES, (*_NEGATED, *_HEDGED, *_CONDITIONS, *_OTHER_WISHES)):
        yield f"{yes}, {spoiler}"
        yield f"{spoiler} {yes}"
    for yes, other in product(("yes", "okay", "sure"), (*_SARCASM, *_TURNED[:6])):
        yield f"{other}, {yes}"
    yield from (*_SARCASM, *_HEARD, *_TURNED)
    for one, two in product(_BACK_CHANNELS[:12], _BACK_CHANNELS):
        yield f"{one} {two}"
    yield from _BACK_CHANNELS


def back_channels() -> tuple[str, ...]:
    """Sounds and words by which somebody shows that they listen; no answers."""
    return (*_BACK_CHANNELS, *(f"{one}, {two}" for one, two in product(_BACK_CHANNELS[:12], _BACK_CHANNELS)))


def items() -> tuple[tuple[str, str], ...]:
    """Every answer, each to one of the questions in turn."""
    answers = dict.fromkeys(_pairs())
    return tuple((QUESTIONS[step % len(QUESTIONS)], answer) for step, answer in enumerate(answers))
