"""What machines say when they pick up: mailboxes, menus, call screening and network announcements, by shape.

In: nothing. Out: `VOICEMAIL`, `MENU`, `SCREENING`, `UNAVAILABLE`. Written for this test set after what carriers,
phones and people really use; `|` and the groups mean what they mean in `human_texts`.
"""

from __future__ import annotations

from typing import Final

from voicewarden.rehearsal.answers.human_texts import Groups

VOICEMAIL: Final[dict[str, Groups]] = {
    "carrier": (
        (
            "Your call has been forwarded to an automatic voice message system. | Five five five, | zero one four "
            "two, | "
            "is not available. | At the tone, please record your message.",
            "Your call has been forwarded to voicemail. | The person you're trying to reach is not available. | At the "
            "tone, please record your message.",
        ),
        (
            "The person you are trying to reach is not available. | Please leave a message after the beep.",
            "The party you are calling is not available. | Please leave your message after the tone.",
        ),
        (
            "Please leave your message for | six one nine | five five five | two oh eight one.",
            "Please leave a message for | eight oh five | five five five | nine one seven six | after the tone.",
        ),
        (
            "The Verizon Wireless customer you are calling is not available at this time. | Please leave a message "
            "after the tone. | When done, hang up, or press pound.",
            "The wireless customer you have called is unavailable. | To leave a message, wait for the tone.",
        ),
        (
            "Hello. | No one is available to take your call. | Please leave a message after the tone.",
            "Nobody is available to take your call. | Please record your message after the tone.",
        ),
        (
            "Welcome to the voice messaging service of | four one five | five five five | three three one oh. | Record "
            "your message after the tone.",
            "You have reached the voice mailbox of | four one five | five five five | three three one oh.",
        ),
        (
            "We're sorry, the subscriber cannot come to the phone. | If you would like to leave a message, please "
            "speak "
            "after the signal.",
            "The subscriber can't take your call now. | Please speak after the signal.",
        ),
        (
            "You've reached the voicemail box of | Daniel Brooks. | To leave a voice message, press one, or just wait "
            "for the tone.",
            "Daniel Brooks, | is not available. | Record your message after the tone.",
        ),
    ),
    "personal": (
        (
            "Hi, this is Mike, I can't come to the phone right now, so leave me a message and I'll get back to you.",
            "Hey, it's Mike, I can't get to the phone, leave a message.",
        ),
        (
            "Hey, it's Jenny. | Leave a message. | Bye.",
            "Hi, it's Jenny, you know what to do.",
        ),
        (
            "Hello, you've reached Robert Hill. | I'm either on the other line or away from my desk. | Please "
            "leave your "
            "name and number and I'll call you back as soon as I can.",
            "You've reached Robert Hill, I'm away from my phone. | Please leave your name and number.",
        ),
        (
            "Hello? | Hello? | Ha, just kidding, I'm not here, leave a message after the beep.",
            "Hello? || Gotcha, I'm not really here. | Wait for the beep.",
        ),
        (
            "Sorry I missed your call. | Leave your name and a short message and I'll call you back.",
            "Sorry I missed you, please leave your name, number and a brief message. | Thank you.",
        ),
        (
            "Hi, you have reached Laura, please do not leave a voicemail, I never check it, just send me a text.",
            "This is Laura, I don't check this mailbox, text me instead. | Thanks.",
        ),
        (
            "This is Chris. | I'm not available. | You can leave a message after the tone.",
            "Chris here, I'm not around. | Talk after the beep.",
        ),
        (
            "You've reached the phone of Patricia. | I'm unable to take your call at the moment. | Leave me a detailed "
            "message and have a great day.",
            "Hi, Patricia's phone, I'm unable to answer. | Leave me a detailed message and have a wonderful day.",
        ),
    ),
    "family": (
        (
            "Hi, you've reached the Andersons. | We can't come to the phone right now. | Please leave a message after "
            "the beep.",
            "You've reached the Anderson family, we're not home right now. | Leave us a message.",
        ),
        (
            "Hello, this is the Lee residence. | Nobody is home. | Leave your name and number, and we will call back.",
            "We're out at the moment. | Leave a message for Sue, Peter or the kids.",
        ),
    ),
    "business": (
        (
            "Thank you for calling Summit Roofing. | Our office is currently closed. | Our hours are Monday to Friday, "
            "eight to five. | Please leave a message and we will return your call.",
            "You've reached Summit Roofing, we are closed. | Leave your name, number and address.",
        ),
        (
            "Hi, you've reached the desk of Kevin Moore at Atlas Insurance. | I'm out of the office until Monday. "
            "| For "
            "urgent matters, please call my colleague. | Otherwise leave a message.",
            "This is Kevin Moore with Atlas Insurance. | I'm out of the office. | Please leave a message.",
        ),
        (
            "You have reached the office of Doctor Wallace. | If this is a medical emergency, hang up and dial "
            "nine one "
            "one. | Otherwise, leave your name and date of birth after the tone.",
            "Doctor Wallace's office is closed for lunch. | If this is an emergency, dial nine one one. | Or leave a "
            "message.",
        ),
        (
            "All of our agents are busy assisting other customers. | Please leave a message and the next available "
            "person will call you back.",
            "We are assisting other customers right now. | Please leave your name and number at the tone.",
        ),
    ),
    "full": (
        (
            "The mailbox is full and cannot accept any messages at this time. | Goodbye.",
            "The voice mailbox you have reached is full. | Please try again later. | Goodbye.",
        ),
        (
            "The person you are trying to reach has a voice mailbox that has not been set up yet. | Goodbye.",
            "The user's mailbox has not been set up yet. | Please try your call again later.",
        ),
    ),
}

MENU: Final[dict[str, Groups]] = {
    "press": (
        (
            "Thank you for calling Northwind Bank. | For account balances, press one. | For cards, press two. | To "
            "speak "
            "with a representative, press zero.",
            "Northwind Bank. | For balances, press one. | For lost cards, press two.",
        ),
        (
            "Welcome to City Hospital. | If this is an emergency, hang up and dial nine one one. | If you know your "
            "party's extension, you may dial it at any time.",
            "City Hospital. | If you know your party's extension, dial it now. | For appointments, press one.",
        ),
        (
            "Please listen carefully, as our menu options have changed. | For sales, press one. | For support, "
            "press two.",
            "Our menu has recently changed. | For billing, press one. | For all other questions, stay on the line.",
        ),
        (
            "For English, press one. | Para espanol, oprima el dos.",
            "To continue in English, press one. | Your call may be monitored or recorded.",
        ),
    ),
    "speak": (
        (
            "Thanks for calling Greenline Energy. | I'm your virtual assistant. | In a few words, tell me why you're "
            "calling.",
            "Hello, this is the Greenline automated system. | You can say things like, pay my bill, or report "
            "an outage.",
        ),
        (
            "Thank you for calling. | This call may be recorded for quality assurance. | Please say or enter your "
            "account "
            "number.",
            "This call may be recorded for training purposes. | Please enter your account number, followed by the "
            "pound "
            "sign.",
        ),
    ),
}

SCREENING: Final[dict[str, Groups]] = {
    "phone": (
        (
            "Hi. | If you record your name and reason for calling, I'll see if this person is available.",
            "Hello. | Please record your name and the reason for your call, and I'll see if this person is available.",
        ),
        (
            "Hi, the person you're calling is using a screening service from Google, and will get a copy of this "
            "conversation. | Go ahead and say your name, and why you're calling.",
            "The person you're calling is using a screening service. | Go ahead and say your name and why you're "
            "calling.",
        ),
        (
            "Please state your name and reason for calling.",
            "Please say your name and the reason for your call.",
        ),
        (
            "Hi, I'm the assistant of the person you are calling. | May I ask who is calling, and what it's about?",
            "Hello, this is a call assistant. | Please tell me who is calling, and the purpose of your call.",
        ),
    ),
    "network": (
        (
            "The person you are calling does not accept calls from unidentified callers. | At the tone, please say "
            "your "
            "name or the company that you are calling from.",
            "This number does not accept unidentified calls. | At the tone, say your name.",
        ),
        (
            "The number you have called is protected by a call blocker. | Press five to be connected.",
            "This number is protected by call control. | If you are a person, press five to be connected.",
        ),
    ),
}

UNAVAILABLE: Final[dict[str, Groups]] = {
    "network": (
        (
            "The number you have dialed is not in service. | Please check the number and dial again.",
            "We're sorry, the number you have reached is not in service at this time.",
        ),
        (
            "We're sorry, your call cannot be completed as dialed. | Please check the number and try again.",
            "Your call cannot be completed as dialed.",
        ),
        (
            "The number you have reached has been disconnected or is no longer in service.",
            "The number you are calling has been disconnected.",
        ),
        (
            "We're sorry, all circuits are busy now. | Please try your call again later.",
            "All circuits are busy. | Will you please try your call again later.",
        ),
        (
            "The wireless customer you are calling is not available. | Please try again later.",
            "The subscriber you have dialed is out of the coverage area. | Please try again later.",
        ),
        (
            "The person you are calling is not accepting calls at this time. | Goodbye.",
            "The customer you are trying to reach cannot receive calls at this time.",
        ),
        (
            "The number you have called has been changed to an unlisted number.",
            "The number you dialed has changed. | No further information is available.",
        ),
        (
            "Your call did not go through. | Please hang up and try again.",
            "If you'd like to make a call, please hang up and try again.",
        ),
    ),
}
