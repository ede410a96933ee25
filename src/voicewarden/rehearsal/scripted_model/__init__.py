"""A language model whose every answer is written down: an OpenAI-compatible server over `agents/*/dialogue.yaml`."""

from voicewarden.rehearsal.scripted_model.dialogue import Dialogue
from voicewarden.rehearsal.scripted_model.dialogues import DialogueLibrary
from voicewarden.rehearsal.scripted_model.loading import load_dialogue
from voicewarden.rehearsal.scripted_model.pace import Fault, Pace
from voicewarden.rehearsal.scripted_model.protocol import ChatRequest
from voicewarden.rehearsal.scripted_model.reply import Reply
from voicewarden.rehearsal.scripted_model.server import ScriptedModel, app, serve

__all__ = [
    "ChatRequest",
    "Dialogue",
    "DialogueLibrary",
    "Fault",
    "Pace",
    "Reply",
    "ScriptedModel",
    "app",
    "load_dialogue",
    "serve",
]
