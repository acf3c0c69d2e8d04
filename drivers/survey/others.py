"""Which profiles a device of another protocol than Modbus may have: those that speak it. Pure.

A meter is asked for the items of every profile. Others told their protocol by answering, not their model: the
share is dealt evenly among the profiles of the protocol, and some of it stays with models nobody described.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from drivers.survey.score import SURE, Match
from drivers.survey.talk import Tongue

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from drivers.profile import Profile

LEAST_SHARE: Final = 0.01
_HEX: Final = re.compile(r"[0-9A-Fa-f]{4}|[0-9A-Fa-f]{8}")
KNOWN: Final = 0.9  # of the belief that the model is one of ours
SPOKEN: Final[Mapping[Tongue, tuple[str, ...]]] = {
    Tongue.DLT645: ("dlt645",),
    Tongue.TILT68: ("tilt68", "tilt"),
    Tongue.TILT77: ("tilt77", "tilt"),
    Tongue.WITMOTION: ("witmotion",),
    Tongue.DC589: ("dc589",),
    Tongue.DNY: ("dny",),
    Tongue.GST9000: ("gst9000",),
}
"""What a profile's `protocol` is called for each tongue."""


def meter_matches(
    answered: Collection[str], refused: Collection[str], profiles: Mapping[str, Profile]
) -> list[Match]:
    """Return the meter profiles by the items that a meter answered and refused, best first.

    As with registers: an item of the profile that is there is twice as likely from this model as from
    another, one that is refused is hardly of this model.
    """
    known = meters(profiles)
    weights: dict[str, float] = {}
    for name, items in known.items():
        good, bad = len(items & set(answered)), len(items & set(refused))
        weights[name] = 2.0**good * 0.06**bad if good else 0.0
    total = sum(weights.values()) + 1.0  # a model nobody has described
    found = [
        Match(
            name, min(weight / total, SURE), len(known[name] & set(answered)), len(profiles[name].points), {}
        )
        for name, weight in weights.items()
        if weight / total >= LEAST_SHARE
    ]
    return sorted(found, key=lambda match: (-match.share, match.profile))


def meters(profiles: Mapping[str, Profile]) -> dict[str, frozenset[str]]:
    """Return the identifiers that each meter profile reads."""
    return {
        name: frozenset(p.item for p in profile.points.values() if p.readable and _HEX.fullmatch(p.item))
        for name, profile in profiles.items()
        if profile.protocol in SPOKEN[Tongue.DLT645]
    }


def matches(tongue: Tongue, profiles: Mapping[str, Profile]) -> list[Match]:
    """Return the profiles that speak a tongue, each with its even share."""
    names = sorted(name for name, profile in profiles.items() if profile.protocol in SPOKEN.get(tongue, ()))
    return [Match(name, KNOWN / len(names), 0, len(profiles[name].points), {}) for name in names]
