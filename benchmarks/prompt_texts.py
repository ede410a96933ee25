"""What is said in recordings that Debian packages hold, written down by listening: names of files, then their words.

In: nothing. Out: `PROMPTS` (asterisk-core-sounds-en-wav, one professional speaker). Used by `transcription.py` and
`spoken_consent.py`.
"""

from pathlib import Path
from typing import Final

PROMPT_FOLDER: Final = Path("/usr/share/asterisk/sounds/en_US_f_Allison")

PROMPTS: Final[dict[str, str]] = {
    "agent-alreadyon": "That agent is already logged on. Please enter your agent number followed by the pound key.",
    "agent-incorrect": "Login incorrect. Please enter your agent number followed by the pound key.",
    "agent-loggedoff": "Agent logged off.",
    "agent-loginok": "Agent logged in.",
    "agent-newlocation": "Please enter a new extension followed by pound.",
    "agent-pass": "Please enter your password followed by the pound key.",
    "agent-user": "Agent log in. Please enter your agent number followed by the pound key.",
    "all-circuits-busy-now": "All circuits are busy now.",
    "auth-incorrect": "Password incorrect. Please enter your password followed by the pound key.",
    "auth-thankyou": "Thank you.",
    "cannot-complete-as-dialed": "Your call cannot be completed as dialed.",
    "check-number-dial-again": "Please check the number and dial again.",
    "conf-enteringno": "You are entering conference number",
    "conf-getchannel": "Please enter the channel number followed by the pound key.",
    "conf-getconfno": "Please enter your conference number followed by the pound key.",
    "conf-getpin": "Please enter the conference pin number.",
    "conf-hasjoin": "is now in the conference.",
    "conf-hasleft": "has left the conference.",
    "conf-invalid": "That is not a valid conference number. Please try again.",
    "conf-invalidpin": "That pin is invalid for this conference.",
    "conf-leaderhasleft": "The leader has left the conference.",
    "conf-lockednow": "The conference is now locked.",
    "conf-muted": "You are now muted.",
    "conf-unmuted": "You are now unmuted.",
    "conf-noempty": "No empty conferences currently exist.",
    "conf-onlyone": "There is currently one other participant in the conference.",
    "conf-onlyperson": "You are currently the only person in this conference.",
    "conf-placeintoconf": "You will now be placed into the conference.",
    "conf-thereare": "There are currently",
    "conf-unlockednow": "The conference is now unlocked.",
    "hello-world": "Hello world.",
    "number-not-answering": "The number is not answering.",
    "pbx-invalid": "I am sorry, but that's not a valid extension. Please try again.",
    "privacy-thankyou": "Thank you.",
    "queue-callswaiting": "waiting to speak with a representative.",
    "queue-thankyou": "Thank you for your patience.",
    "queue-thereare": "You are currently caller number",
    "queue-youarenext":
        "Your call is now first in line and will be answered by the next available representative.",
    "ss-noservice":
        "The number you have dialed is not in service. Please check the number and try again.",
    "tt-somethingwrong": "Something is terribly wrong.",
    "tt-weasels": "Weasels have eaten our phone system.",
    "vm-goodbye": "Goodbye.",
    "vm-intro": "Please leave your message after the tone. When done, hang up or press the pound key.",
    "vm-isonphone": "is on the phone.",
    "vm-isunavail": "is unavailable.",
    "vm-mismatch": "The passwords you entered and re-entered did not match. Please try again.",
    "vm-msgsaved": "Your message has been saved.",
    "vm-newpassword": "Please enter your new password followed by the pound key.",
    "vm-nobodyavail": "Nobody is available to take your call at the moment.",
    "vm-nomore": "No more messages.",
    "vm-passchanged": "Your passwords have been changed.",
    "vm-pls-try-again": "Please try again.",
    "vm-rec-busy": "After the tone, say your busy message and then press the pound key.",
    "vm-rec-name": "After the tone, say your name and then press the pound key.",
    "vm-rec-unv": "After the tone, say your unavailable message and then press the pound key.",
    "vm-reenterpassword": "Please re-enter your password followed by the pound key.",
    "vm-review": (
        "Press one to accept this recording. Press two to listen to it. Press three to re-record your message."
    ),
    "vm-theperson": "The person at extension",
    "vm-whichbox": "To leave a message, please enter a mailbox number.",
}  # fmt: skip
