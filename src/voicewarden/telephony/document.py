"""TwiML documents: what the carrier shall do with a call.

In: addresses and names. Out: XML text. Every document ends in a verb that ends the call, so that no caller is left on a
silent line.
"""

from twilio.twiml.voice_response import VoiceResponse


def connect(stream_url: str, after_url: str, *, call: str, token: str) -> str:
    """Connect the call with our media socket; the token is good for this call once."""
    response = VoiceResponse()
    stream = response.connect(action=after_url, method="POST").stream(url=stream_url)
    stream.parameter(name="call", value=call)
    stream.parameter(name="token", value=token)
    response.hangup()
    return str(response)


def dial(number: str, action_url: str, answered_url: str, *, caller_id: str, timeout_s: int) -> str:
    """Put the caller through; the carrier reports at `answered_url` that somebody picked up there, and at `action_url`
    how it ended, which may be an hour later.
    """
    response = VoiceResponse()
    leg = response.dial(action=action_url, method="POST", caller_id=caller_id, timeout=timeout_s)
    leg.number(number, status_callback=answered_url, status_callback_event="answered", status_callback_method="POST")
    response.hangup()
    return str(response)


def hang_up(apology: str = "") -> str:
    """End the call, with a spoken apology where something that was promised did not work."""
    response = VoiceResponse()
    if apology:
        response.say(apology)
    response.hangup()
    return str(response)


def reject(*, busy: bool = False) -> str:
    """Do not answer; whoever calls hears that the number is not in service, or with `busy` a busy line."""
    response = VoiceResponse()
    response.reject(reason="busy" if busy else "rejected")
    return str(response)
