"""What people answer to a question that asks for a yes, written for `spoken_consent.py`: kind, then texts.

In: nothing. Out: `ANSWERS` and `QUESTION`. The yeses are three kinds, since the shortest are the hardest to hear:
`bare` words, `invited` phrases (what our questions ask people to say) and `other` plain yeses. All other kinds must
never become a yes; `near` are words that sound like one.
"""

from typing import Final

QUESTION: Final = (
    "Shall I book a haircut for Tuesday the first of December at 3 pm? Please say: yes, book it. Or press one."
)

YES_KINDS: Final = ("bare", "invited", "other yes")

ANSWERS: Final[dict[str, tuple[str, ...]]] = {
    "bare": ("Yes.", "Yeah.", "Yep.", "Yes!", "Correct.", "Absolutely.", "Definitely."),
    "invited": (
        "Yes, book it.", "Yes, go ahead.", "Yes, please.", "Yes please, book it.", "Yeah, book it.",
        "Yes, please book it.", "Book it.", "Go ahead.", "Yes, that's right.", "Yes, go ahead and book it.",
    ),
    "other yes": (
        "Yes, that is correct.", "Yes, that works.", "Yes, sounds good.", "Sure, go ahead.", "Yes, do that.",
        "That's right, go ahead.", "Yeah, that's fine.", "Yes, of course.",
    ),
    "no": (
        "No.", "Nope.", "No, thank you.", "No thanks.", "No, don't book it.", "Don't book it.", "Please don't.",
        "Not now.", "No, that's wrong.", "I said no.", "Absolutely not.", "Definitely not.", "That's not right.",
    ),
    "hedge": (
        "Maybe.", "I guess so.", "I'm not sure.", "Let me think.", "Perhaps later.", "Well, I don't know.",
        "Possibly.", "I suppose.", "Hmm, let me see.",
    ),
    "yes, but": (
        "Yes, but not on Tuesday.", "Yes, but at four.", "Yes, if it is free.", "Yes, unless it rains.",
        "Yes, but only if my wife agrees.", "Yes, I heard you.", "Yeah, no.", "Yes, at five instead.",
    ),
    "question": (
        "What did you say?", "How much is it?", "Is it free?", "Which day?", "Can you say that again?", "Who is this?",
        "At what time?",
    ),
    "opt-out": ("Stop calling me.", "Take me off your list.", "Never call me again.", "Do not call this number."),
    "back-channel": ("Mm-hm.", "Uh-huh.", "Oh.", "Ah.", "Hmm.", "Right."),
    "near": (
        "Yesterday.", "Yet.", "Guess.", "Less.", "Best.", "Jess.", "Guests.", "Yell.", "Yikes.", "Your house.",
        "Chess.", "Years.", "Dress.", "Address.", "Yoga.", "I guess.", "Jeff.", "Hello?", "Excuse me?", "Bless you.",
        "Nah.", "Ya know.", "Look at it.", "Cook it.", "Took it.", "Forget it.", "Go away.", "Cut it.",
    ),
}  # fmt: skip

DIGITS: Final[dict[str, str]] = {
    "My number is five five five, zero one nine two.": "five five five zero one nine two",
    "It is four two seven.": "four two seven",
    "At three pm.": "three pm",
    "At half past ten.": "half past ten",
    "On the fourteenth of May.": "fourteenth of may",
    "Tuesday at four.": "tuesday at four",
    "The code is nine one one eight.": "nine one one eight",
    "Extension twenty seven.": "twenty seven",
    "I am thirty two years old.": "thirty two",
    "Two people, please.": "two",
    "The first of December.": "first of december",
    "Room one hundred and five.": "one hundred and five",
}  # fmt: skip
"""Sentences with numbers, times and dates, and the part that decides."""

NAMES: Final[dict[str, str]] = {
    "My name is John Smith.": "john smith",
    "This is Margaret Thompson.": "margaret thompson",
    "I would like to speak to Sarah Miller.": "sarah miller",
    "It is Peter Jones.": "peter jones",
    "Put me through to David Brown.": "david brown",
    "I am calling for Emily Davis.": "emily davis",
    "The name is Wilson.": "wilson",
    "Ask for Robert Taylor.": "robert taylor",
    "I live in Springfield.": "springfield",
    "My doctor is Doctor Walker.": "doctor walker",
    "It's for Michael Johnson.": "michael johnson",
    "Tell Anna White I called.": "anna white",
}  # fmt: skip
"""Sentences with names, and the name."""
