"""The solvers: is there a context in which all of these terms hold?

In: z3 terms. Out: a model, or None when z3 (and cvc5, when it is asked for) says that there is none. Called by
theorems. Every question is decidable, so a solver that gives no answer within its time is a finding, never a proof.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

from voicewarden.model.error import MissingPart, VoicewardenError
from voicewarden.proofs.terms import z3

_TIMEOUT_MS: Final = 20_000


class NoAnswer(VoicewardenError):
    """A solver did not decide, or two solvers disagree."""


class Solver:
    """Asks one question at a time over fixed axioms."""

    def __init__(self, axioms: list[Any], *, second: bool = False) -> None:
        self._z3 = z3.Solver()
        self._z3.set("timeout", _TIMEOUT_MS)
        self._z3.add(*axioms)
        self._second = _Second() if second else None
        self.name = solver_name(second=second)

    # Any: z3 ships no types.
    def model(self, *terms: Any) -> Any:
        """A model in which all terms hold, None when there is none. Raises NoAnswer."""
        self._z3.push()
        try:
            self._z3.add(*terms)
            answer = self._z3.check()
            if answer == z3.unknown:
                raise NoAnswer(f"z3 gave no answer: {self._z3.reason_unknown()}; try a simpler rule")
            if self._second is not None:
                self._second.demand(str(answer), self._z3.to_smt2())
            return self._z3.model() if answer == z3.sat else None
        finally:
            self._z3.pop()


class _Second:
    """cvc5, which reads the same question as SMT-LIB text and has to give the same answer."""

    def __init__(self) -> None:
        try:
            self._cvc5 = import_module("cvc5")
        except ModuleNotFoundError as missing:
            raise MissingPart("the second solver is cvc5: pip install cvc5") from missing

    def demand(self, answer: str, question: str) -> None:
        """Raise NoAnswer unless cvc5 answers the same."""
        solver = self._cvc5.Solver()
        solver.setOption("tlimit-per", str(_TIMEOUT_MS))
        parser = self._cvc5.InputParser(solver)
        text = "(set-logic QF_LIA)\n" + question
        parser.setStringInput(self._cvc5.InputLanguage.SMT_LIB_2_6, text, "question")
        symbols = parser.getSymbolManager()
        said = ""
        try:
            while not (command := parser.nextCommand()).isNull():
                said += str(command.invoke(solver, symbols))
        except RuntimeError as error:
            raise NoAnswer(f"cvc5 can't read the question: {error}") from error
        if said.strip() != answer:
            raise NoAnswer(f"z3 says {answer}, cvc5 says {said.strip() or 'nothing'}; please report this policy")


def solver_name(*, second: bool = False) -> str:
    """Name and version of what proves, as receipts write it."""
    name = f"z3 {z3.get_version_string()}"
    return f"{name} + cvc5 {version('cvc5')}" if second else name
