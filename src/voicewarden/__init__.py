"""Guarded real-time phone calls: a voice agent can only do what the call has earned the authority to do.

The public API without a phone is `voicewarden.embed`; the command line is `voicewarden.cli`. Importing this package
loads neither.
"""

__version__ = "0.1.0"
