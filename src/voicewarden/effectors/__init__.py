"""What acts on the world, and only with a burnt grant: calendar, carrier, messages, commitments, voicemail."""

from voicewarden.effectors.wiring import Effectors

__all__ = ["Effectors"]
