"""What is known about a person across calls: opt-outs, consents and attempts, never the number itself."""

from voicewarden.contacts.register import Contacts

__all__ = ["Contacts"]
