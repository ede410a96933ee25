"""The test set of who answers: clips of answered calls with labels, made anew from what is installed, and played."""

from voicewarden.rehearsal.answers.clip import Beep, Clip, Label, Perturbation, Split
from voicewarden.rehearsal.answers.making import clips
from voicewarden.rehearsal.answers.playing import Outcome, play
from voicewarden.rehearsal.answers.remembered import RememberedHearing

__all__ = ["Beep", "Clip", "Label", "Outcome", "Perturbation", "RememberedHearing", "Split", "clips", "play"]
