"""What the agent must not say of itself, and must not ask for."""

import pytest

from voicewarden.reading.honesty import refusals
from voicewarden.reading.lexicon import Reader


@pytest.mark.parametrize(
    "text",
    [
        "I'm a real person.", "I am human.", "I'm not a robot.", "I'm not an AI, I'm Anna.", "Not a bot.",
        "No, you're talking to a person.", "Of course I'm a human.", "I\u2019m a r\u200beal person.",
        "You're speaking with a live agent.", "As a human, I understand.", "There's no robot here.",
        "I'm definitely not a computer.", "I promise I'm real.",
    ],
)  # fmt: skip
def test_denies_ai(reader: Reader, text: str) -> None:
    assert [one.kind for one in refusals(reader, text, ("denies_ai", "private_data"))] == ["denies_ai"]


@pytest.mark.parametrize(
    "text",
    [
        "I am an AI, not a real person.", "Would you like to talk to a human?", "I can transfer you to a real person.",
        "I am a virtual assistant, not a human.", "I'm not a real person.", "You are talking to a computer.",
        "I'm an automated assistant.", "I will never ask for your password.", "May I have your name?", "",
    ],
)  # fmt: skip
def test_honest(reader: Reader, text: str) -> None:
    assert refusals(reader, text, ("denies_ai", "private_data")) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Can I have your credit card number?", "What's your social security number?", "What is your PIN?",
        "Please tell me the three digits on the back of your card.", "Please provide your bank account details.",
        "And the CVV?", "Please tell me your password.",
    ],
)  # fmt: skip
def test_private_data(reader: Reader, text: str) -> None:
    assert [one.kind for one in refusals(reader, text, ("private_data",))] == ["private_data"]


def test_only_the_kinds_asked_for(reader: Reader) -> None:
    assert refusals(reader, "I'm a real person.", ("private_data",)) == ()
