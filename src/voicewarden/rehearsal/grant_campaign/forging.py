"""Grants that must not be spent: altered, foreign, used, out of time, out of date. Each has exactly that wrong with it.

In: a world with open grants. Out: one spending for every call of a kind, which has to be refused. The controls stand
beside them: fresh grants that have to be accepted.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from voicewarden.kernel.step import step
from voicewarden.model.action import Value
from voicewarden.model.canonical import digest_of
from voicewarden.model.decision import Grant
from voicewarden.model.event import (
    ActionRequested,
    AuthorityRevoked,
    AuthorityTightened,
    CallEnded,
    CallsPaused,
    DtmfPressed,
    Event,
    FactLearned,
    LeaseLost,
    LedgerFaltered,
)
from voicewarden.rehearsal.grant_campaign.world import GrantedCall, World, try_out
from voicewarden.runtime.burning import MemoryBurner
from voicewarden.runtime.seal import SEAL_BYTES, Sealer
from voicewarden.runtime.spending import SealedGrant

replace: Final = msgspec.structs.replace
Kind = Callable[[World], SealedGrant]
_HEX: Final = "0123456789abcdef"

LOWERING: Final[Mapping[str, Event]] = {
    "tightened": AuthorityTightened(at_ms=0, stage="assist", epoch=1, operator="o"),
    "tightened in a new epoch": AuthorityTightened(at_ms=0, stage="assist", epoch=2, operator="o"),
    "revoked": AuthorityRevoked(at_ms=0, epoch=2, operator="o"),
    "paused": CallsPaused(at_ms=0, epoch=2, operator="o"),
    "opted out by key": DtmfPressed(at_ms=0, digit="9"),
    "opted out by record": FactLearned(at_ms=0, fact="opted_out", value=True, source="crm"),
    "lease lost": LeaseLost(at_ms=0),
    "ledger failed": LedgerFaltered(at_ms=0),
    "handed over": ActionRequested(
        at_ms=0, request="h", action="hand_over", args={"to": "closing"}, principal="booking"
    ),
    "ended": CallEnded(at_ms=0, reason="over"),
}  # fmt: skip
"""Events after which no grant that was minted before may start anything."""


def _other_text(world: World, text: str) -> str:
    """One character of a text is another."""
    if not text:
        return world.chance.choice(_HEX)
    at = world.chance.randrange(len(text))
    kept = [item for item in _HEX if item != text[at]]
    return text[:at] + world.chance.choice(kept) + text[at + 1 :]


def _other_number(world: World, number: int) -> int:
    return number + world.chance.choice((-1, 1, -number or 7, 2**31, -(2**31)))


def other_args(world: World, args: Mapping[str, Value]) -> dict[str, Value]:
    """Arguments that differ in one place: a value, its type, a name, one more, one less."""
    chance = world.chance
    name = chance.choice(sorted(args))
    value = args[name]
    match chance.randrange(6):
        case 0:
            return {**args, name: _other_text(world, str(value))}
        case 1:
            return {key: item for key, item in args.items() if key != name}
        case 2:
            return {**args, "force": chance.choice((True, False, 0, 1, "", "true"))}
        case 3:
            return {_other_text(world, key) if key == name else key: item for key, item in args.items()}
        case 4:
            return {**args, name: chance.choice((True, 1, 0, False, ""))}
        case _:
            return {**args, name: f"{value} "}


# Any: the value of whichever field it is.
def other_value(world: World, field: str, grant: Grant) -> Any:
    """Another value for a field of a grant."""
    value = getattr(grant, field)
    if field == "action":
        return world.chance.choice([item for item in (*world.actions, "transfer", "place_call") if item != value])
    if field == "call":
        return world.there.call
    if isinstance(value, dict):
        return other_args(world, value)
    if isinstance(value, bool):
        return not value
    return _other_number(world, value) if isinstance(value, int) else _other_text(world, value)


def _altered(*fields: str) -> Kind:
    def kind(world: World) -> SealedGrant:
        grant = world.grant()
        names = fields or tuple(item.name for item in msgspec.structs.fields(Grant))
        field = world.chance.choice(names)
        changed = replace(grant, **{field: other_value(world, field, grant)})
        assert changed != grant
        return world.hold(changed, world.sealer.seal(grant))

    return kind


def _args_with_their_digest(world: World) -> SealedGrant:
    grant = world.grant()
    args = other_args(world, grant.args)
    return world.hold(replace(grant, args=args, digest=digest_of(args)), world.sealer.seal(grant))


def _seal_bits(world: World) -> SealedGrant:
    grant = world.grant()
    number = int.from_bytes(world.sealer.seal(grant), "big")
    for bit in world.chance.sample(range(8 * SEAL_BYTES), world.chance.randint(1, 4)):
        number ^= 1 << bit
    return world.hold(grant, number.to_bytes(SEAL_BYTES, "big"))


def _seal_shape(world: World) -> SealedGrant:
    grant = world.grant()
    seal, noise = world.sealer.seal(grant), world.chance.randbytes(SEAL_BYTES)
    cut = world.chance.randrange(SEAL_BYTES)
    return world.hold(grant, world.chance.choice((b"", seal[:cut], seal + noise[:1], noise, seal[::-1], bytes(32))))


def _foreign_key(world: World) -> SealedGrant:
    grant = world.grant()
    return world.hold(grant, Sealer(world.chance.randbytes(SEAL_BYTES)).seal(grant))


def _forged_whole(world: World) -> SealedGrant:
    """What somebody can make who has read the ledger: a whole new grant, and a key of one's own."""
    grant = world.grant()
    seq = grant.seq + world.chance.randint(1, 10**6)
    forged = replace(grant, id=f"{grant.call}/{seq}", seq=seq)
    return world.hold(forged, Sealer(world.chance.randbytes(SEAL_BYTES)).seal(forged))


def _seal_of_another(world: World) -> SealedGrant:
    grant = world.grant()
    other = world.chance.choice([item for item in (*world.pool, *world.foreign) if item.id != grant.id])
    return world.hold(grant, world.sealer.seal(other))


def _cross_action(world: World) -> SealedGrant:
    """A grant for one action that says another, with all that belongs to it, under either seal."""
    one = world.grant()
    other = world.grant(world.chance.choice([item for item in world.actions if item != one.action]))
    mixed = replace(one, action=other.action, args=other.args, digest=other.digest)
    return world.hold(mixed, world.sealer.seal(world.chance.choice((one, other))))


def _cross_call(world: World) -> SealedGrant:
    """A good grant of one call before the authority of another."""
    return world.hold(world.chance.choice(world.foreign))


def _cross_call_renamed(world: World) -> SealedGrant:
    other = world.chance.choice(world.foreign)
    return world.hold(replace(other, call=world.here.call), world.sealer.seal(other))


def _spent(world: World, burner: MemoryBurner) -> tuple[SealedGrant, Grant]:
    grant = world.grant()
    spending = world.hold(grant, burner=burner)
    assert try_out(spending) == "", "a fresh grant has to be accepted"
    return spending, grant


def _replayed_by_its_holder(world: World) -> SealedGrant:
    return _spent(world, MemoryBurner())[0]


def _replayed_by_another(world: World) -> SealedGrant:
    burner = MemoryBurner()
    return world.hold(_spent(world, burner)[1], burner=burner)


def _replayed_after_its_receipt(world: World) -> SealedGrant:
    """Even where the memory of the burn is lost: the call holds the grant open no more."""
    grant = world.grant()
    moment = world.here.moment()
    grants = moment.state.grants
    left = {key: item for key, item in grants.open.items() if key != grant.id}
    moment.state = replace(moment.state, grants=replace(grants, open=left))
    return world.hold(grant, moment=moment, burner=MemoryBurner())


def _changed_in_the_hand(world: World) -> SealedGrant:
    """The arguments change between the burn and the start."""
    grant = world.grant()
    mine = replace(grant, args=dict(grant.args))
    return world.hold(mine, burner=_Meddler(other_args(world, mine.args)))


def _changed_before_its_seal(world: World) -> SealedGrant:
    """The arguments change where they lie, between the kernel's decision and the seal, which fits therefore."""
    grant = world.grant()
    mine = replace(grant, args=dict(grant.args))
    moment = world.here.moment()
    grants = moment.state.grants
    opened = {**grants.open, mine.id: replace(grants.open[mine.id], grant=mine)}
    moment.state = replace(moment.state, grants=replace(grants, open=opened))
    changed = other_args(world, mine.args)
    mine.args.clear()
    mine.args.update(changed)
    return world.hold(mine, moment=moment)


class _Meddler(MemoryBurner):
    """Changes the arguments of what it burns."""

    def __init__(self, args: dict[str, Value]) -> None:
        super().__init__()
        self._args = args

    async def burn(self, grant: Grant) -> bool:
        """Burn it and change it."""
        grant.args.clear()
        grant.args.update(self._args)
        return await super().burn(grant)


def _expired(world: World) -> SealedGrant:
    grant = world.grant()
    late_ms = world.chance.choice((0, 0, 1, world.chance.randint(1, 10**9)))
    return world.hold(grant, moment=world.here.moment(now_ms=grant.expires_at_ms + late_ms))


def _wrong_epoch(world: World) -> SealedGrant:
    """The call's epoch is another, and nothing else: the kernel would have raised the version, too."""
    moment = world.here.moment()
    epoch = moment.state.identity.epoch + world.chance.choice((-1, 1, 5, 1000))
    moment.state = replace(moment.state, identity=replace(moment.state.identity, epoch=epoch))
    return world.hold(world.grant(), moment=moment)


def _stale_version(world: World) -> SealedGrant:
    moment = world.here.moment()
    moment.state = replace(moment.state, version=moment.state.version + world.chance.choice((-1, 1, 2, 99)))
    return world.hold(world.grant(), moment=moment)


def _other_policy(world: World) -> SealedGrant:
    moment = world.here.moment()
    moment.policy = _other_text(world, moment.policy)
    return world.hold(world.grant(), moment=moment)


def _after(name: str) -> Kind:
    event = LOWERING[name]

    def kind(world: World) -> SealedGrant:
        moment = world.lowered.get(name)
        if moment is None:
            moment = world.lowered[name] = world.here.moment()
            moment.state = step(world.release, moment.state, event).state
        return world.hold(world.grant(), moment=moment)

    return kind


KINDS: Final[Mapping[str, Kind]] = {
    "altered: any field": _altered(),
    "altered: id": _altered("id"),
    "altered: digest": _altered("digest"),
    "altered: arguments": _altered("args"),
    "altered: arguments and digest": _args_with_their_digest,
    "altered: time, version, epoch": _altered("expires_at_ms", "minted_at_ms", "version", "epoch", "policy"),
    "altered before its seal": _changed_before_its_seal,
    "altered in the holder's hand": _changed_in_the_hand,
    "seal: bits flipped": _seal_bits,
    "seal: another shape": _seal_shape,
    "seal: of another grant": _seal_of_another,
    "seal: foreign key": _foreign_key,
    "forged whole, foreign key": _forged_whole,
    "another action": _cross_action,
    "another call": _cross_call,
    "another call, renamed": _cross_call_renamed,
    "replayed by its holder": _replayed_by_its_holder,
    "replayed by another holder": _replayed_by_another,
    "replayed after its receipt": _replayed_after_its_receipt,
    "expired": _expired,
    "wrong epoch": _wrong_epoch,
    "stale version": _stale_version,
    "another policy": _other_policy,
    **{f"after: {name}": _after(name) for name in LOWERING},
}
"""All that must be refused."""


def fresh(world: World, call: GrantedCall) -> SealedGrant:
    """The control: a grant as the kernel minted it, spent by its own call in time."""
    grant = call.mint(world.chance.choice(world.actions))
    now_ms = world.chance.choice((0, grant.expires_at_ms - 1))
    return world.hold(grant, moment=call.moment(now_ms=now_ms))
