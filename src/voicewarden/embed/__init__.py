"""The public API without a phone: guard any tool-calling agent with a policy."""

from voicewarden.embed.call import Call, Outcome, open_policy

__all__ = ["Call", "Outcome", "open_policy"]
