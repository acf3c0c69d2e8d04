"""What shall happen in a simulation and when, as data. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from drivers.simulator.faults import FaultError, parse_fault
from drivers.simulator.persona import PersonaError, seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.simulator.faults import Fault
    from gateway.model import Value


class ScriptError(ValueError):
    """An entry of a script that cannot be understood, and what would be right."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One thing at one time: a drama, a fault, or values set by hand."""

    at: float  # seconds from the start
    device: str | None = None
    line: str | None = None
    drama: str | None = None
    fault: str | None = None
    options: Fault | None = None  # of the fault
    lasts: float | None = None  # seconds of a fault or of values; None: to the end
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """Something by chance, again and again."""

    every: float
    choose: Literal["dramas", "faults"]
    first: float | None = None  # None: after the first `every`
    lasts: float = 30.0  # of a fault


@dataclass(frozen=True, slots=True)
class Join:
    """Lines of the site whose devices all hang on one pair of wires, each set as its own line is.

    Such devices understand only a master that is set alike; those of other lines are always set as the
    master is. One line alone may be named, too.
    """

    lines: tuple[str, ...]
    serial: str | None = None  # where the pair is; None: where the first of the lines is


Happens = Cue | Choice
Entry = Happens | Join
_CUE = ("at", "device", "line", "drama", "fault", "for", "set")
_CHOICE = ("every", "choose", "at", "for")


def parse_entry(data: Mapping[str, Any]) -> Entry:
    """Make an entry of what a script file holds. Raises ScriptError."""
    try:
        if "join" in data:
            return _join(data)
        return _choice(data) if "choose" in data or "every" in data else _cue(data)
    except (FaultError, PersonaError) as error:
        raise ScriptError(str(error)) from None


def _choice(data: Mapping[str, Any]) -> Choice:
    _known(data, _CHOICE)
    if data.get("choose") not in {"dramas", "faults"}:
        raise ScriptError(f"choose: {data.get('choose')!r} is neither dramas nor faults")
    every = seconds(_need(data, "every"))
    if every <= 0:
        raise ScriptError("every: has to be longer than nothing")
    first = seconds(data["at"]) if "at" in data else None
    return Choice(every, data["choose"], first, seconds(data.get("for", 30.0)))


def _join(data: Mapping[str, Any]) -> Join:
    _known(data, ("join", "serial"))
    lines, serial = data["join"], data.get("serial")
    if not isinstance(lines, list) or not lines or not all(isinstance(name, str) for name in lines):
        raise ScriptError("join: is a list of lines, such as [rs485-1, meters]")
    if serial is not None and not (isinstance(serial, str) and serial.startswith("/")):
        raise ScriptError(f"serial: must be the whole path where the pair shall be, not {serial!r}")
    return Join(tuple(lines), serial)


def _cue(data: Mapping[str, Any]) -> Cue:
    what = [key for key in ("drama", "fault", "set") if key in data]
    if len(what) != 1:
        raise ScriptError("an entry has exactly one of drama, fault, set (or: every and choose)")
    options = {key: value for key, value in data.items() if key not in _CUE}
    if options and what != ["fault"]:
        _known(data, _CUE)
    if ("device" in data) == ("line" in data):
        raise ScriptError("an entry has exactly one of device, line")
    if "line" in data and what != ["fault"]:
        raise ScriptError(f"a line has faults only; {what[0]} needs a device")
    if "drama" in data and "for" in data:
        raise ScriptError("for: a drama lasts as long as its profile says")
    values = data.get("set", {})
    if not isinstance(values, dict) or ("set" in data and not values):
        raise ScriptError("set: is a mapping of points to values, such as {lel: 30}")
    fault = data.get("fault")
    return Cue(
        at=seconds(_need(data, "at")),
        device=data.get("device"),
        line=data.get("line"),
        drama=data.get("drama"),
        fault=fault,
        options=None if fault is None else parse_fault(str(fault), options),
        lasts=seconds(data["for"]) if "for" in data else None,
        values=values,
    )


def _known(data: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    if unknown := [key for key in data if key not in keys]:
        raise ScriptError(f"{', '.join(unknown)}: not known here; there are {', '.join(keys)}")


def _need(data: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - what YAML holds
    if key not in data:
        raise ScriptError(f"{key}: is missing")
    return data[key]
