"""What is known across calls: a person's opt-outs, consents and attempts, never the number; and what limits count."""

from voicewarden.contacts.counts import Cap, Counts, Subject, claim
from voicewarden.contacts.register import Contacts

__all__ = ["Cap", "Contacts", "Counts", "Subject", "claim"]
