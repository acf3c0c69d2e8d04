"""Which profiles a device of another protocol than Modbus may have: those that speak it. Pure.

It told its protocol by answering, not its model: the share is dealt evenly among the profiles of the
protocol, and some of it stays with models that nobody has described.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.survey.score import Match
from drivers.survey.talk import Tongue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Profile

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


def matches(tongue: Tongue, profiles: Mapping[str, Profile]) -> list[Match]:
    """Return the profiles that speak a tongue, each with its even share."""
    names = sorted(name for name, profile in profiles.items() if profile.protocol in SPOKEN.get(tongue, ()))
    return [Match(name, KNOWN / len(names), 0, len(profiles[name].points), {}) for name in names]
