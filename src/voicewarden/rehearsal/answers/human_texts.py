"""What people say when they pick up: groups of near-same wordings by shape, written for this test set.

In: nothing. Out: `HUMAN`. A group never has members in both splits; `texts` deals the groups of a shape out in turn.
`|` is a breath of 350 ms within a sentence or between two, `||` the 1.3 s after which most people say "hello" again.
"""

from __future__ import annotations

from typing import Final

Groups = tuple[tuple[str, ...], ...]

HUMAN: Final[dict[str, Groups]] = {
    "hello": (
        ("Hello?", "Hello."),
        ("Hi.", "Hi there."),
        ("Hello, hello?", "Hello? | Hello?"),
        ("Hello? || Hello?", "Hello. || Anybody there?"),
        ("Hey.", "Hey there."),
        ("Yeah?", "Yes?"),
        ("Good morning.", "Good evening."),
        ("Yello.", "Howdy."),
    ),
    "name": (
        ("This is John.", "John here."),
        ("Mary speaking.", "Mary Johnson speaking."),
        ("Hello, this is Mike.", "Hi, this is Mike."),
        ("Hello, Susan here.", "Hi, it's Susan."),
        ("Peterson.", "Doctor Peterson."),
        ("Sam Carter.", "Yes, Sam Carter here."),
        ("Hey, this is Dave, what's up?", "Hey, it's Dave."),
        ("Anna Lopez speaking, good morning.", "Good morning, Anna Lopez."),
    ),
    "residence": (
        ("Smith residence, John speaking.", "Smith residence."),
        ("The Garcias, who's calling please?", "Garcia family, hello?"),
        ("Hello, you've reached the Millers, this is Tom.", "Millers, Tom here."),
        ("Baker house, Emily speaking.", "This is the Baker residence, hello?"),
    ),
    "business": (
        ("Good morning, Harris Plumbing, how can I help you?", "Harris Plumbing, how can I help you?"),
        ("Front desk, this is Karen.", "Front desk, Karen speaking, how may I help?"),
        ("Thanks for calling Joe's Garage, this is Joe.", "Joe's Garage, Joe here."),
        ("Accounting, Linda speaking.", "Accounting department, this is Linda."),
        ("Downtown Dental, can you hold please?", "Downtown Dental, please hold one second."),
        ("Law offices of Green and Cooper, how may I direct your call?", "Green and Cooper, good afternoon."),
        ("Hello, Riverside Books, what can I do for you?", "Riverside Books, hello."),
        ("Good afternoon, thanks for calling Bella Pizza, pick up or delivery?", "Bella Pizza, pick up or delivery?"),
    ),
    "question": (
        ("Hello, who is this?", "Who is this?"),
        ("Hello, who's calling please?", "Who's calling please?"),
        ("Yes, who am I speaking with?", "And who am I speaking to?"),
        ("Hello? | Can you hear me?", "Hello? | I can't hear you."),
        ("Hi, can I help you?", "Yes, can I help you?"),
        ("What do you want?", "Yeah, what is it?"),
    ),
    "busy": (
        ("Hello, I'm driving right now.", "Hi, I'm driving, make it quick."),
        ("Hi, I can't talk right now.", "Sorry, I can't talk right now, I'm in a meeting."),
        ("Hello? | Sorry, I'm at work, can you call me back later?", "I'm at work, call me back later."),
        ("I'm not available right now, who is this?", "Hi, I'm not available at the moment, what's it about?"),
        ("Hang on a second. || Okay, go ahead.", "One second please. || Hello?"),
        ("Hello, now is not a good time.", "It's not a good time, sorry."),
    ),
    "someone_else": (
        ("Hello, he's not here right now, can I take a message?", "She's out, can I take a message?"),
        ("He is not available at the moment, who's calling?", "She isn't available, who's calling please?"),
        ("Hello, Robert's phone, this is his wife.", "Robert's phone."),
        ("Hi, you're through to Kate's desk, she just stepped out, it's Ben.", "Kate's desk, Ben speaking."),
    ),
    "long": (
        (
            "Hello, good morning, this is Margaret speaking, I was just about to leave the house.",
            "Good morning, this is Margaret, I was just on my way out, who is it?",
        ),
        (
            "Hi, sorry, I was just on the other line, I thought you were my brother, who is this?",
            "Sorry, sorry, I nearly missed you, the phone was in the kitchen. | Hello?",
        ),
        (
            "Hello? | Yes, I can hear you, but the line is really bad, can you speak up please?",
            "Yes hello, the line is bad, you have to speak a little louder.",
        ),
        (
            "Thank you for calling Lakeside Veterinary Clinic, this is Brenda, how can I help you and your pet today?",
            "Hi, thanks for calling Lakeside Clinic, Brenda speaking, how can I help you today?",
        ),
    ),
}
