"""The public API without a phone: guard any tool-calling agent with a policy."""

from voicewarden.embed.call import Call
from voicewarden.embed.outcome import Answer, Outcome
from voicewarden.embed.policy import OpenedPolicy, open_policy
from voicewarden.embed.records import read_records

__all__ = ["Answer", "Call", "OpenedPolicy", "Outcome", "open_policy", "read_records"]
