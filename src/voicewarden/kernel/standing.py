"""Whether a grant still stands: what a grant must agree with at the moment of its effect, as a pure function.

In: a grant and the state of the call that holds it. Out: what stands against it, in words. Called by whoever spends
grants: the runtime before and after the burn, and the API without a phone.
"""

from voicewarden.kernel.state import State
from voicewarden.model.decision import Grant


def objection(grant: Grant, *, call: str, state: State, policy: str, now_ms: int) -> str:
    """What stands against spending a grant of a call in this state, now; empty when nothing does."""
    if grant.call != call:
        return "it belongs to another call"
    identity = state.identity
    if identity.fault:
        return identity.fault
    if identity.ended:
        return "the call is over"
    if grant.version != state.version:
        return "authority was lowered since"
    if grant.epoch != identity.epoch:
        return "the control plane has moved on"
    if now_ms >= grant.expires_at_ms:
        return "it has expired"
    if grant.policy != policy:
        return "another policy is in force"
    opened = state.grants.open.get(grant.id)
    if opened is None or (opened.grant is not grant and opened.grant != grant):
        return "the call holds no such grant open"
    return ""
