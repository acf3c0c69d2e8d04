"""How a device behaves when it is played: shapes of values over time, as data. No I/O.

Times are seconds. `player.Player` gives the values; profiles hold these shapes under `persona` and `dramas`.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from gateway.model import Value  # noqa: TC001 - settings are checked against these types at run time


class PersonaError(ValueError):
    """A persona or a drama that cannot be played, with the reason."""


class _Strict:
    """Unknown keys in YAML are mistakes (read by pydantic, which is not imported here)."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


# --- shapes of a persona -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Constant(_Strict):
    """Always the same number."""

    value: float
    play: Literal["constant"] = "constant"


@dataclass(frozen=True, slots=True)
class Code(_Strict):
    """A state: the word of an enum, a bit, a bit pattern or a text."""

    value: Value
    play: Literal["code"] = "code"


@dataclass(frozen=True, slots=True)
class Noise(_Strict):
    """Gaussian noise about a mean, new every 0.1 s."""

    mean: float
    sd: float
    min: float = -math.inf
    max: float = math.inf
    play: Literal["noise"] = "noise"


@dataclass(frozen=True, slots=True)
class Walk(_Strict):
    """A random walk: each second one gaussian step of deviation `step`, turned back at the bounds."""

    start: float
    step: float
    min: float
    max: float
    play: Literal["walk"] = "walk"


@dataclass(frozen=True, slots=True)
class Daily(_Strict):
    """A swing over the day: `mean + swing` at the hour `peak`, `mean - swing` twelve hours later."""

    mean: float
    swing: float
    sd: float = 0.0
    peak: float = 14.0
    play: Literal["daily"] = "daily"


@dataclass(frozen=True, slots=True)
class Charge(_Strict):
    """A charging session: ramp up, hold, taper off, rest; again and again, each device at its own phase."""

    peak: float
    idle: float = 0.0
    ramp: float = 10.0
    hold: float = 1200.0
    taper: float = 1800.0
    rest: float = 300.0
    sd: float = 0.0
    play: Literal["charge"] = "charge"


@dataclass(frozen=True, slots=True)
class Counter(_Strict):
    """Counts up: `per_hour`, or the integral over hours of the point `of` times `scale` (W to kWh: 0.001)."""

    start: float = 0.0
    per_hour: float = 0.0
    of: str | None = None
    scale: float = 0.001
    play: Literal["counter"] = "counter"


@dataclass(frozen=True, slots=True)
class Product(_Strict):
    """The product of other points times `scale`: power of voltage, current and a power factor."""

    of: tuple[str, ...]
    scale: float = 1.0
    play: Literal["product"] = "product"


# --- shapes of a drama -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ramp(_Strict):
    """From where the persona is to `to` in `over` seconds, `hold` there, and back in `back` seconds."""

    to: float
    over: float = 20.0
    hold: float = 60.0
    back: float | None = None  # None: as long as the way there
    play: Literal["ramp"] = "ramp"


@dataclass(frozen=True, slots=True)
class Step(_Strict):
    """At once to `to`, for `hold` seconds, and at once back."""

    to: Value
    hold: float = 30.0
    play: Literal["step"] = "step"


@dataclass(frozen=True, slots=True)
class Burst(_Strict):
    """`times` times, every `every` seconds: to `to` for `hold` seconds."""

    to: Value
    every: float
    hold: float
    times: int = 5
    play: Literal["burst"] = "burst"


@dataclass(frozen=True, slots=True)
class Switch(_Strict):
    """An output that holds what is written to it. While it is at `off`, the points it `gates` are at 0."""

    value: Value
    off: Value
    gates: tuple[str, ...] = ()
    play: Literal["switch"] = "switch"


Shape = Constant | Code | Noise | Walk | Daily | Charge | Counter | Product | Switch | Ramp | Step | Burst
Persona = Mapping[str, Shape]
Dramas = Mapping[str, Persona]
SHAPES: dict[str, type[Shape]] = {
    "constant": Constant,
    "code": Code,
    "noise": Noise,
    "walk": Walk,
    "daily": Daily,
    "charge": Charge,
    "counter": Counter,
    "product": Product,
    "switch": Switch,
    "ramp": Ramp,
    "step": Step,
    "burst": Burst,
}
"""What `play:` may say, and what it means."""

_ALIASES = {"for": "hold"}  # `for` reads well in YAML and is no name in Python
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str | float) -> float:
    """Read `500ms`, `20s`, `5m`, `8h`, `30d` or a number of seconds. Raises PersonaError."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    match = _DURATION.fullmatch(str(text).strip())
    if match is None:
        raise PersonaError(f"{text!r} is not a number or a duration such as 500ms, 20s, 5m, 8h")
    return float(match[1]) * _UNIT_SECONDS[match[2]]


def parse_persona(points: Mapping[str, Mapping[str, Any] | Shape]) -> dict[str, Shape]:
    """Make shapes of what a profile says under `persona` or under one drama. Raises PersonaError."""
    found: dict[str, Shape] = {}
    for point, data in points.items():
        try:
            found[point] = parse_shape(data) if isinstance(data, Mapping) else data
        except PersonaError as error:
            raise PersonaError(f"{point}: {error}") from None
    return found


def parse_dramas(dramas: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Shape]]:
    """Make shapes of what a profile says under `dramas`. Raises PersonaError."""
    found: dict[str, dict[str, Shape]] = {}
    for name, points in dramas.items():
        try:
            found[name] = parse_persona(points)
        except PersonaError as error:
            raise PersonaError(f"{name}: {error}") from None
    return found


def parse_shape(data: Mapping[str, Any]) -> Shape:
    """Make one shape of `{play: NAME, ...}`. Raises PersonaError."""
    cls = SHAPES.get(str(data.get("play")))
    if cls is None:
        raise PersonaError(f"play: {data.get('play')!r} is none of {', '.join(SHAPES)}")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    given = {_ALIASES.get(key, key): value for key, value in data.items()}
    if unknown := given.keys() - fields.keys():
        known = ", ".join(name for name in fields if name != "play")
        raise PersonaError(f"{data['play']} has no {', '.join(sorted(unknown))}; it has {known}")
    if missing := [n for n, f in fields.items() if f.default is dataclasses.MISSING and n not in given]:
        raise PersonaError(f"{data['play']} needs {', '.join(missing)}")
    return cls(**{name: _typed(str(fields[name].type), value, name) for name, value in given.items()})


def _typed(kind: str, value: Any, name: str) -> Any:  # noqa: ANN401 - what YAML holds, and what a field takes
    if kind.startswith("float"):
        return None if value is None and "None" in kind else seconds(value)
    if kind == "int":
        if not isinstance(value, int):
            raise PersonaError(f"{name}: {value!r} is not a whole number")
        return value
    if kind.startswith("tuple"):
        return (value,) if isinstance(value, str) else tuple(map(str, value))
    return value
