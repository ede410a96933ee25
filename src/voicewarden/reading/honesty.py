"""Honest speech: a sentence of the agent in, what it must not say out. Called by the kernel for every sentence."""

import msgspec

from voicewarden.reading.lexicon import Reader
from voicewarden.reading.utterance import utterance_of


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of speech that was refused, and the list that found it."""

    kind: str
    rule: str


def refusals(reader: Reader, text: str, kinds: tuple[str, ...]) -> tuple[Refusal, ...]:
    """Return what `text` says of the given kinds (`denies_ai`, `private_data`), in their order.

    A phrase inside a longer one that says something else ("I am not a real person") is no finding.
    """
    found = reader.honesty.find(utterance_of(reader, text).tokens)
    if not found:
        return ()
    refused: list[Refusal] = []
    for kind in kinds:
        masks = [match for match in found if match.label == f"not_{kind}"]
        if any(
            match.label == kind and not any(one.start <= match.start and match.end <= one.end for one in masks)
            for match in found
        ):
            refused.append(Refusal(kind, kind))
    return tuple(refused)
