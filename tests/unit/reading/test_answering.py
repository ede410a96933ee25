"""Who picked up, by the words of the greeting."""

import pytest

from voicewarden.reading.answering import read
from voicewarden.reading.lexicon import Reader


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Hi, you've reached Bob. Please leave a message after the tone.", ["mailbox"]),
        ("Your call has been forwarded to an automatic voice message system.", ["mailbox"]),
        ("The mailbox is full.", ["mailbox"]),
        ("I can't come to the phone right now, so leave your name and number.", ["mailbox"]),
        ("At the tone, please record your message.", ["mailbox"]),
        ("For sales, press one.", ["menu"]),
        ("Para espa\u00f1ol, oprima el dos.", ["menu"]),
        ("Please state your name and reason for calling.", ["screening"]),
        ("If you record your name and reason for calling, I'll see if this person is available.", ["screening"]),
        ("The number you have dialed is not in service.", ["unavailable"]),
        ("The customer you are calling is not available at the moment.", ["unavailable"]),
        ("Hello?", ["human"]),
        ("Hello, this is Anna speaking.", ["human"]),
        ("Yeah, who's this?", ["human"]),
        ("I can't talk right now, I'm busy.", ["human"]),
        ("Can you call me back later?", ["human"]),
        ("", []),
    ],
)
def test_cues(reader: Reader, text: str, kinds: list[str]) -> None:
    assert [cue.kind for cue in read(reader, tuple(text.split()))] == kinds
