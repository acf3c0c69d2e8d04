"""In which order a line is surveyed, and how long that takes. Pure.

First nobody is asked: something may talk by itself. Then one sweep over all settings, most likely first, that
asks what one question can find (meters, inclinometers: they have a wildcard) and the likely Modbus addresses;
then the remaining addresses, at the settings where somebody was found. What the time does not suffice for is
left out and named, not passed over in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.dlt645.frame import Edition
from drivers.survey import probes
from drivers.survey.talk import Setting, Tongue

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from drivers.profile import Profile
    from drivers.survey.talk import Shot

MODBUS: Final = (
    Setting(9600),
    Setting(4800),
    Setting(19200),
    Setting(115200),
    Setting(2400),
    Setting(9600, "even"),
    Setting(19200, "even"),
    Setting(38400),
    Setting(57600),
)
METERS: Final = (Setting(2400, "even"), Setting(9600, "even"), Setting(4800, "even"), Setting(1200, "even"))
OLD_METERS: Final = (Setting(1200, "even"), Setting(2400, "even"))
TILT: Final = (Setting(9600), Setting(115200), Setting(19200))
THOROUGH_RATES: Final = (9600, 4800, 19200, 115200, 2400, 38400, 57600, 1200)
TILTED: Final = range(9)  # addresses of inclinometers
LISTEN: Final = (Setting(9600), Setting(115200))
LISTEN_FOR: Final = 3.3  # seconds: a charging board that nobody answers registers every 3 s
LISTEN_ELSE: Final = 1.2
LIKELY: Final = range(1, 33)
FIRST, LAST = 1, 247
HIGH: Final = 100  # people number their devices from 1
EARLY: Final = 0.065  # seconds that likely units may take to begin; the rest have `probes.SOON`
BATCH: Final = 12
TIDY: Final = 0.0015  # seconds that each shot costs beside the wire


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be looked for."""

    tongues: frozenset[Tongue] = frozenset({Tongue.MODBUS, Tongue.DLT645, Tongue.TILT68, Tongue.TILT77})
    settings: tuple[Setting, ...] = ()  # only these; none: all that are usual
    units: range = range(FIRST, LAST + 1)
    thorough: bool = False  # every address at every setting, and odd parity
    listen: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """Shots that are sent one after the other at one setting."""

    setting: Setting
    shots: tuple[Shot, ...]
    what: str  # "1-32", "dlt645": for people

    @property
    def seconds(self) -> float:
        """How long it takes when nobody answers."""
        return sum(cost(self.setting, shot) for shot in self.shots)


def cost(setting: Setting, shot: Shot) -> float:
    """Return the seconds of a shot that nobody answers."""
    return setting.silence + len(shot.frame) * setting.character + shot.patience + TIDY


def likely(profiles: Iterable[Profile], units: range) -> list[int]:
    """Return the addresses to be asked first: those from the factory, then the low ones."""
    factory = [p.defaults.address for p in profiles if p.protocol == "modbus" and p.defaults.address]
    return [unit for unit in dict.fromkeys([*sorted(factory), *LIKELY]) if unit in units]


def first_sweep(scope: Scope, early: Sequence[int]) -> list[Step]:
    """Return the steps of the sweep over all settings."""
    steps: list[Step] = []
    for setting in _settings(scope):
        steps += _wildcards(scope, setting)
        if Tongue.MODBUS in scope.tongues and _modbus_at(scope, setting):
            steps.append(_units(setting, early, EARLY))
    return steps


def second_sweep(scope: Scope, early: Collection[int], found: Sequence[Setting]) -> list[Step]:
    """Return the steps about the remaining addresses, and about slow devices among the likely ones."""
    if Tongue.MODBUS not in scope.tongues:
        return []
    usual = [setting for setting in _settings(scope) if _modbus_at(scope, setting)]
    at = usual if scope.thorough else [s for s in usual if s in found] or usual[:1]
    rest = [unit for unit in scope.units if unit not in early]
    halves = [[unit for unit in rest if unit < HIGH], [unit for unit in rest if unit >= HIGH]]
    slow = [Step(s, tuple(probes.modbus(u, s, probes.LATE) for u in early), "slow") for s in at[:1]]
    return [
        *(_units(setting, half) for half in halves for setting in at if half),
        *(slow if scope.thorough else []),
    ]


def pieces(step: Step) -> list[Step]:
    """Cut a step into pieces that are short enough to show how it goes."""
    shots = step.shots
    return [Step(step.setting, shots[i : i + BATCH], step.what) for i in range(0, len(shots), BATCH)]


def _settings(scope: Scope) -> tuple[Setting, ...]:
    if scope.settings:
        return scope.settings
    if not scope.thorough:
        return tuple(dict.fromkeys((MODBUS[0], METERS[0], *MODBUS[1:], *METERS)))
    rates = [Setting(baud, parity) for parity in ("none", "even", "odd") for baud in THOROUGH_RATES]
    return tuple(dict.fromkeys((*MODBUS, *METERS, *rates)))


def _modbus_at(scope: Scope, setting: Setting) -> bool:
    return bool(scope.settings) or scope.thorough or setting in MODBUS


def _wildcards(scope: Scope, setting: Setting) -> list[Step]:
    named = bool(scope.settings) or scope.thorough
    tilted = setting in TILT or (named and setting.parity == "none")
    kinds = [tongue for tongue in (Tongue.TILT68, Tongue.TILT77) if tilted and tongue in scope.tongues]
    addresses = TILTED if setting == TILT[0] or scope.thorough else TILTED[:1]
    shots = [probes.inclinometer(tongue, setting, address) for tongue in kinds for address in addresses]
    if Tongue.DLT645 in scope.tongues and (setting in METERS or named):
        shots.append(probes.meters(setting))
        if setting in OLD_METERS or named:
            shots.append(probes.meters(setting, Edition.Y1997))
    tongues = dict.fromkeys(shot.tongue.value for shot in shots)
    return [Step(setting, tuple(shots), ", ".join(tongues))] if shots else []


def _units(setting: Setting, units: Sequence[int], patience: float = probes.SOON) -> Step:
    return Step(setting, tuple(probes.modbus(unit, setting, patience) for unit in units), ranges(units))


def ranges(units: Iterable[int]) -> str:
    """Return numbers as people write them: `1-32, 80`."""
    runs: list[list[int]] = []
    for unit in sorted(units):
        if runs and unit == runs[-1][-1] + 1:
            runs[-1].append(unit)
        else:
            runs.append([unit])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
