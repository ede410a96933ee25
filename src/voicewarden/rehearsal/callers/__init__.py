"""Callers to practise with: synthetic voices, recorded people, background noise, and scripts that use them."""

from voicewarden.rehearsal.callers.noise import Noise, NoiseKind, level_for_snr, mixed
from voicewarden.rehearsal.callers.recordings import has_recordings, recording, voicemail_greeting
from voicewarden.rehearsal.callers.script import (
    BargeIn,
    HangUp,
    PlayFile,
    PlayRecordings,
    PlayVoicemail,
    Press,
    Say,
    ScriptedCaller,
    StartNoise,
    Step,
    StopNoise,
    Wait,
    WaitForAgent,
)
from voicewarden.rehearsal.callers.voices import VOICES, first_installed, installed_voices, synthesise, synthesise_all

__all__ = [
    "VOICES",
    "BargeIn",
    "HangUp",
    "Noise",
    "NoiseKind",
    "PlayFile",
    "PlayRecordings",
    "PlayVoicemail",
    "Press",
    "Say",
    "ScriptedCaller",
    "StartNoise",
    "Step",
    "StopNoise",
    "Wait",
    "WaitForAgent",
    "first_installed",
    "has_recordings",
    "installed_voices",
    "level_for_snr",
    "mixed",
    "recording",
    "synthesise",
    "synthesise_all",
    "voicemail_greeting",
]
