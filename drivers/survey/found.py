"""What a survey finds and tells on its way. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.survey.plan import Step
    from drivers.survey.score import Match
    from drivers.survey.talk import Setting, Tongue


class Trouble(StrEnum):
    """Why somebody cannot be understood."""

    GARBLED = "garbled"  # answers are broken: two devices with one address, or a bad cable
    TWICE = "twice"  # two whole answers to one question


@dataclass(slots=True)
class Found:
    """Somebody on the line."""

    tongue: Tongue
    who: str  # the address as people write it
    setting: Setting
    wait: float | None = None  # seconds from question to answer
    matches: Sequence[Match] = ()  # best first
    trouble: Trouble | None = None
    frame: bytes = b""  # one frame of it, as heard


@dataclass(slots=True)
class Report:
    """What a survey has found, and what it had no time for."""

    found: list[Found] = field(default_factory=list)
    left_out: list[Step] = field(default_factory=list)
    noisy: list[Setting] = field(default_factory=list)  # settings at which there was garbage all the time
    echo: bool = False  # the adapter gives back what we send


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: seconds of the plan that are done and in all, and what is being asked."""

    done: float
    total: float
    setting: Setting
    what: str
