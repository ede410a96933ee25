"""A plain tool loop of the `openai` package that can only book what the person has agreed to in their own words.

Needs `pip install voicewarden openai`, and `OPENAI_API_KEY` (and `OPENAI_BASE_URL` for another endpoint than OpenAI's):

    python examples/guarded_openai_loop.py MODEL
"""

import sys
from pathlib import Path
from typing import Any

from openai import OpenAI

from voicewarden import Answer, Call, Outcome, open_policy

SERVICES = {"haircut": "a haircut", "consultation": "a consultation"}
FIELDS = {"service": {"enum": list(SERVICES)}, "start": {"type": "string", "description": "such as 2026-12-03T11:00"}}
SCHEMA = {"type": "object", "properties": FIELDS, "required": list(FIELDS)}
# Any: tools and messages are JSON; the client's own types say more about them than is needed here.
TOOLS: Any = [{"type": "function", "function": {"name": "book", "description": "Book it.", "parameters": SCHEMA}}]


def book(**args: str | int | bool) -> dict[str, str]:
    """What has consequences. Here it would write to a calendar."""
    return {"reference": f"{args['service']}-{args['start']}"}


def main(model: str) -> None:
    """Talk until the conversation is over or there is no more input."""
    policy = open_policy(Path(__file__).with_name("booking.yaml"), catalogue={"services": SERVICES})
    call = Call(policy, agent="assistant")
    client, messages = OpenAI(), [{"role": "system", "content": "You book appointments, by calling book."}]
    call.answered()
    while not call.is_over:
        for text in call.unshown:  # everything that the person reads comes from here
            print(text, flush=True)
        call.shown()
        if call.is_over or not (said := sys.stdin.readline()):
            break
        messages.append({"role": "user", "content": said.strip()})
        answer = call.heard(said)  # before the model sees it
        messages += [{"role": "system", "content": note} for note in answer.notes + act(call, answer)]
        while not call.unshown and respond(client, model, call, messages):
            pass  # the model has asked for a tool and sees now what became of it


def respond(client: OpenAI, model: str, call: Call, messages: list[Any]) -> bool:
    """One answer of the model; True when it asked for tools."""
    reply = client.chat.completions.create(model=model, messages=messages, tools=TOOLS).choices[0].message
    messages.append(reply.model_dump(exclude_none=True))
    for wanted in reply.tool_calls or []:
        asked: Any = wanted  # there are no other tools than functions
        outcome = call.request(asked.function.name, asked.function.arguments)
        notes = "\n".join(outcome.notes + act(call, outcome))
        messages.append({"role": "tool", "tool_call_id": wanted.id, "content": notes})
    if reply.content and not reply.tool_calls:
        call.say(reply.content)
    return bool(reply.tool_calls)


def act(call: Call, earned: Answer | Outcome) -> tuple[str, ...]:
    """Do what was granted, once, with the arguments of the grant; returns what the model should know of it."""
    notes: tuple[str, ...] = ()
    for grant in earned.grants:
        if grant.action == "book":
            notes += call.done(grant, detail=book(**call.spend(grant))).notes
    return notes


if __name__ == "__main__":
    main(sys.argv[1])
