"""A second language is a second file: no line of code knows English words."""

from pathlib import Path

import pytest

from voicewarden.config.lexicon_file import load_lexicon
from voicewarden.reading.consent import read
from voicewarden.reading.heard import signals
from voicewarden.reading.lexicon import Reader

QUESTION = "¿Le reservo la cita para el martes a las tres?"


@pytest.fixture(scope="module")
def spanish() -> Reader:
    return Reader(load_lexicon(Path(__file__).with_name("data") / "es-test.yaml", thorough=True))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("Sí.", "explicit"), ("Sí, por favor.", "explicit"), ("sí, resérvela", "explicit"),
        ("¡Claro que sí!", "explicit"), ("me va bien", "explicit"), ("sí, el martes", "explicit"),
        ("Sí, el martes a las tres.", "explicit"),
        ("vale", "ambiguous"), ("No, gracias.", "refused"), ("no me interesa", "refused"), ("sí, pero no", "refused"),
        ("sí, pero más barato", "conditional"), ("sí, si me hacen descuento", "conditional"),
        ("si es gratis", "conditional"), ("quizás sí", "ambiguous"), ("sí ya claro", "ambiguous"),
        ("¿cuánto cuesta?", "question"), ("sí, el miércoles", "other"), ("mejor otro día", "other"),
        ("no me vuelvan a llamar", "revoked"), ("sí, quíteme de su lista", "revoked"),
    ],
)  # fmt: skip
def test_answers_in_spanish(spanish: Reader, answer: str, kind: str) -> None:
    assert read(spanish, QUESTION, tuple(answer.split())).kind == kind


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("deje de llamarme", ["opt_out"]), ("no dejen de llamarme", []),
        ("quiero hablar con una persona", ["wants_person"]),
        ("¿es usted un robot? ¿Es un robot?", ["asks_if_ai"]), ("se ha equivocado", ["wrong_person"]),
        ("tengo nueve años, mi mamá no está", ["minor"]), ("acaba de morir mi marido", ["distress"]),
        ("un momento", ["hold_on"]), ("hola, buenos días", []),
    ],
)  # fmt: skip
def test_signals_in_spanish(spanish: Reader, text: str, kinds: list[str]) -> None:
    assert [signal.kind for signal in signals(spanish, tuple(text.split()))] == kinds


def test_without_a_question_nothing_is_a_yes_in_any_language(spanish: Reader) -> None:
    assert read(spanish, "", ("Sí.",)).rule == "no_question"
