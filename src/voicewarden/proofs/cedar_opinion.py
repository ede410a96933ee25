"""A second opinion: what Cedar says to the exported policy, as the observation that our own code gives.

In: a policy and cases. Out: observations. Called by `agreement`, tests and `voicewarden policy cedar --check`. Needs
the extra `proofs` (cedarpy).
"""

from collections.abc import Sequence
from typing import Any

from voicewarden.model.action import Verdict
from voicewarden.model.error import MissingPart
from voicewarden.policy.ast import Policy
from voicewarden.policy.compiler import severest
from voicewarden.proofs.case import Case, Observation
from voicewarden.proofs.cedar import Export, export, request_of
from voicewarden.proofs.context import NEVER_DENIED, facts_of
from voicewarden.proofs.tree import items_of

try:
    import cedarpy
except ModuleNotFoundError as missing:
    raise MissingPart("the second opinion needs cedarpy: pip install 'voicewarden[proofs]'") from missing


class CedarOpinion:
    """A policy as cedarpy holds it. Raises ValueError when Cedar does not accept the export."""

    def __init__(self, policy: Policy) -> None:
        self.export: Export = export(policy)
        self._facts = {name: frozenset(facts_of(policy, name)) for name in policy.actions}
        self._items = {
            name: {item.id: item for item in items_of(rule)} for name, rule in policy.actions.items()
        }
        self._schema = cedarpy.Schema.from_str(self.export.schema)
        self._entities = cedarpy.Entities.from_json_str("[]")
        self._active = self._checked(self.export.policies)
        self._shadows = self._checked(self.export.shadows) if self.export.shadows else None

    def _checked(self, text: str) -> "cedarpy.PolicySet":
        result = cedarpy.validate_policies(text, self._schema)
        if not result.validation_passed:
            raise ValueError("Cedar does not accept the export: " + "; ".join(str(error) for error in result.errors))
        return cedarpy.PolicySet.from_str(text)

    def observe(self, cases: Sequence[Case], *, validated: bool = False) -> list[Observation]:
        """What Cedar says in well-typed cases; `validated` holds each request against the schema as well."""
        schema = self._schema if validated else None
        requests = [request_of(case, self._facts.get(case.action)) for case in cases]
        active = self._applied(self._active, requests, schema)
        shadows = self._applied(self._shadows, requests, schema) if self._shadows is not None else [()] * len(cases)
        return [
            self._observation(case, set(applied), set(logged))
            for case, applied, logged in zip(cases, active, shadows, strict=True)
        ]

    def _applied(
        self, policies: "cedarpy.PolicySet", requests: list[dict[str, Any]], schema: "cedarpy.Schema | None"
    ) -> list[tuple[str, ...]]:
        """The ids of the forbids that apply to each request."""
        applied: list[tuple[str, ...]] = []
        for answer in cedarpy.is_authorized_batch(requests, policies, self._entities, schema):
            if answer.diagnostics.errors or answer.decision is cedarpy.Decision.NoDecision:
                raise ValueError(f"Cedar could not decide: {answer.diagnostics.errors}")
            ids = tuple(answer.diagnostics.id_annotations_by_reason.values())
            applied.append(() if answer.allowed else ids)
        return applied

    def _observation(self, case: Case, applied: set[str], logged: set[str]) -> Observation:
        items = self._items.get(case.action, {})
        failed = tuple(item for item in items.values() if item.id in applied)
        missed = tuple(item for item in items.values() if item.id in applied or item.id in logged)
        named = case.action in self._items
        rules_say = severest(failed) if named else "deny"
        return Observation(
            self._verdict(case.action, rules_say, applied), rules_say, tuple(item.id for item in failed),
            severest(missed) if named else "deny", tuple(item.id for item in missed) if logged else (),
        )  # fmt: skip

    def _verdict(self, action: str, rules_say: Verdict, applied: set[str]) -> Verdict:
        """The forbids around the rules deny, those of the stage only what is allowed so far."""
        if action in NEVER_DENIED:
            return "allow"
        around = applied - self._items.get(action, {}).keys()
        staged = around & self.export.stages
        return "deny" if around - staged or (staged and rules_say == "allow") else rules_say
