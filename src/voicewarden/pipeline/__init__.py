"""The media line of a call on pipecat: one listening processor, the gated model, one speaking processor, paced output.
"""

from voicewarden.pipeline import quiet as quiet  # first: pipecat must find its log already silenced
