"""What can go wrong with a played device or line, as data. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivers.simulator.persona import PersonaError, seconds

if TYPE_CHECKING:
    from collections.abc import Mapping


class FaultError(ValueError):
    """A fault, a device or a line that is not there, or that do not fit each other."""


@dataclass(frozen=True, slots=True)
class Silent:
    """The device hears and says nothing."""


@dataclass(frozen=True, slots=True)
class Noise:
    """A share of the answers arrives with flipped bits (RTU only: TCP has checksums of its own)."""

    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Late:
    """A share of the answers comes `low` to `high` seconds late."""

    low: float = 0.05
    high: float = 0.9
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Refuse:
    """A share of the requests is answered with an exception."""

    code: int = 4
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Twin:
    """A second device has the same address: both answer, over each other or one after the other."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """The device keeps telling the values it had when this began."""


@dataclass(frozen=True, slots=True)
class NoWrites:
    """Every write is answered with an exception."""

    code: int = 4


@dataclass(frozen=True, slots=True)
class Babble:
    """Somebody on the line sends rubbish all the time, `rate` bytes a second."""

    rate: float = 200.0


@dataclass(frozen=True, slots=True)
class Unplug:
    """The adapter is pulled out: the port is gone, and comes back as another one behind the same link."""


Fault = Silent | Noise | Late | Refuse | Twin | Frozen | NoWrites | Babble | Unplug
DEVICE_FAULTS: dict[str, type[Fault]] = {
    "silent": Silent,
    "noise": Noise,
    "late": Late,
    "exception": Refuse,
    "twin": Twin,
    "frozen": Frozen,
    "refuse_writes": NoWrites,
}
LINE_FAULTS: dict[str, type[Fault]] = {"babble": Babble, "unplug": Unplug}
FAULTS = DEVICE_FAULTS | LINE_FAULTS


def parse_fault(name: str, options: Mapping[str, Any]) -> Fault:
    """Make a fault of its name and options. Raises FaultError."""
    cls = FAULTS.get(name)
    if cls is None:
        raise FaultError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    if unknown := options.keys() - fields.keys():
        known = ", ".join(fields) or "no options"
        raise FaultError(f"fault {name} does not know {', '.join(sorted(unknown))}; it has {known}")
    try:
        numbers = {key: seconds(value) for key, value in options.items()}
    except PersonaError as error:
        raise FaultError(f"fault {name}: {error}") from None
    if not 0 <= numbers.get("probability", 1.0) <= 1:
        raise FaultError(f"fault {name}: probability is 0 to 1, not {numbers['probability']}")
    typed: dict[str, Any] = {k: int(v) if fields[k].type == "int" else v for k, v in numbers.items()}
    return cls(**typed)
