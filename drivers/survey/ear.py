"""Listens to a line and says who talks: who asks, who answers and how fast, who is not understood. Pure.

Two devices with one address betray themselves to a listener: where one answer is due, two come one after the
other, or two lie over each other and make garbage that is longer than the answer would be. A single device
on a bad cable makes garbage too, but of the right length; and a noisy line damages everybody's answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from drivers.survey.frames import cut
from drivers.survey.talk import Tongue

if TYPE_CHECKING:
    from drivers.survey.talk import Said, Setting

JITTER: Final = 0.017  # seconds: adapters on USB hand over bytes in packets, up to 16 ms late
RESTS: Final = 0.25  # seconds: a line that is polled takes its bytes when the answer is due
MOST_BURST: Final = 4096
WAITS: Final = 256  # answer times kept of each
ENOUGH: Final = 3  # questions before anything is said about somebody
HALF: Final = 0.5
LONG: Final = 0.2  # of the broken answers that are too long
QUIET: Final = 0.2  # of everybody's answers that may be broken before it is the line


class Kind(StrEnum):
    """What is wrong."""

    TWO_DEVICES = "two_devices"  # with one address
    BROKEN = "broken"  # its answers are damaged: cable, ground, another rate
    SILENT = "silent"  # it is asked and never answers
    NOISE = "noise"  # everybody's answers are damaged
    OTHER_MASTER = "other_master"  # somebody else asks on our line
    NOTHING_UNDERSTOOD = "nothing_understood"  # bytes, but no frame: another rate, parity or protocol


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong, and how sure that is."""

    kind: Kind
    who: str  # the address, "" for the line
    share: float  # 0 to 1
    count: int  # cases seen


@dataclass(slots=True)
class Voice:
    """One address as it was heard."""

    tongue: Tongue
    who: str
    asked: int = 0
    answered: int = 0
    silent: int = 0
    broken: int = 0  # questions that only garbage came back on
    overlong: int = 0  # of these: more bytes than the answer would have
    doubled: int = 0  # questions that two whole answers came back on
    unasked: int = 0  # frames that nobody had asked for
    waits: list[float] = field(default_factory=list)

    @property
    def turnaround(self) -> float | None:
        """The median of seconds from question to answer; None before the first."""
        return sorted(self.waits)[len(self.waits) // 2] if self.waits else None

    @property
    def damage(self) -> float:
        """The share of answers that were broken or doubled."""
        came = self.answered + self.broken
        return (self.broken + self.doubled) / came if came else 0.0


@dataclass(slots=True)
class _Open:
    """A question that waits for its answer."""

    said: Said
    end: float
    answers: int = 0
    garbage: int = 0


class Ear:
    """Takes in bytes as they come; `close` when the listening is over."""

    def __init__(self, setting: Setting, gap: float = JITTER) -> None:
        """`gap`: seconds without bytes that end a burst; our own line hands bytes over when it needs them."""
        self.voices: dict[tuple[Tongue, str], Voice] = {}
        self.bytes = 0
        self.frames = 0
        self.lost = 0  # bytes that belong to no frame
        self.masters: set[str] = set()  # ways on which questions came
        self._setting = setting
        self._gap = max(setting.silence, gap)
        self._burst = bytearray()
        self._began = self._last = 0.0
        self._open: _Open | None = None

    def hear(self, way: str, data: bytes, at: float) -> list[tuple[float, Said]]:
        """Take in bytes; `way` is ">>" for what we sent. Returns when which frames began, for show."""
        self.bytes += len(data)
        said: list[tuple[float, Said]] = []
        if way == ">>":
            said += self.settle()
            mine, _ = self._cut(data)
            for one in mine:
                self.masters.add(way)
                self._ask(one, at + len(data) * self._setting.character)
            return [*said, *((at, one) for one in mine)]
        if self._burst and at - self._last > self._gap:
            said += self.settle()
        if not self._burst:
            self._began = at - len(data) * self._setting.character
        self._burst += data[: MOST_BURST - len(self._burst)]
        self._last = at
        return said

    def pause(self, at: float) -> list[tuple[float, Said]]:
        """Learn that nothing came until `at`: what came before may be over."""
        return self.settle() if self._burst and at - self._last > self._gap else []

    def settle(self) -> list[tuple[float, Said]]:
        """Judge what has come: the line is silent now."""
        if not self._burst:
            return []
        data = bytes(self._burst)
        self._burst.clear()
        said, left = self._cut(data)
        at = self._began
        told: list[tuple[float, Said]] = []
        for one in said:
            told.append((at, one))
            if one.asks:
                self.masters.add("<<")
                self._ask(one, at + len(one.frame) * self._setting.character)
            else:
                self._answer(one, at)
            at += len(one.frame) * self._setting.character
        self.lost += len(left)
        if left and self._open is not None:
            self._open.garbage += len(left)
        return told

    def close(self) -> None:
        """Judge what is still open."""
        self.settle()
        self._end_open()

    def troubles(self) -> list[Trouble]:
        """Return what is wrong, gravest first."""
        if self.bytes >= 32 and not self.frames:
            return [Trouble(Kind.NOTHING_UNDERSTOOD, "", 1.0, self.bytes)]
        found = [] if len(self.masters) < 2 else [Trouble(Kind.OTHER_MASTER, "", 1.0, 1)]
        asked = [voice for voice in self.voices.values() if voice.asked >= ENOUGH]
        damaged = [voice for voice in asked if voice.damage > QUIET]
        if len(asked) > 2 and len(damaged) > len(asked) / 2:
            worst = sum(voice.damage for voice in damaged) / len(damaged)
            return [*found, Trouble(Kind.NOISE, "", worst, sum(voice.broken for voice in damaged))]
        return [*found, *(trouble for voice in asked if (trouble := _judge(voice)) is not None)]

    def _cut(self, data: bytes) -> tuple[list[Said], bytes]:
        """Return the frames of whichever tongue explains most of the bytes, known ones first."""
        spoken = [tongue for tongue, _ in self.voices]
        best: tuple[list[Said], bytes] = ([], data)
        for tongue in dict.fromkeys([*spoken, *Tongue]):
            said, left = cut(tongue, data)
            sure = tongue in spoken or len(left) * 2 <= len(data)
            if said and sure and len(left) < len(best[1]):
                best = (said, left)
            if not best[1]:
                break
        self.frames += len(best[0])
        return best

    def _voice(self, said: Said) -> Voice:
        key = (said.tongue, said.who)
        return self.voices.setdefault(key, Voice(*key))

    def _ask(self, said: Said, end: float) -> None:
        self._end_open()
        self._open = _Open(said, end)

    def _answer(self, said: Said, at: float) -> None:
        voice, asked = self._voice(said), self._open
        if asked is None or asked.said.tongue is not said.tongue:
            voice.unasked += 1
            return
        if asked.said.who not in {said.who, "0"} and "A" not in asked.said.who:
            voice.unasked += 1
            return
        asked.answers += 1
        if asked.answers == 1 and len(voice.waits) < WAITS:
            voice.waits.append(max(at - asked.end, 0.0))

    def _end_open(self) -> None:
        asked, self._open = self._open, None
        if asked is None:
            return
        voice = self._voice(asked.said)
        voice.asked += 1
        room = asked.said.room
        if asked.answers:
            voice.answered += 1
            voice.doubled += asked.answers > 1 or asked.garbage >= max((room or 5) - 1, 4)
        elif asked.garbage:
            voice.broken += 1
            voice.overlong += room is not None and asked.garbage > room
        else:
            voice.silent += 1


def _judge(voice: Voice) -> Trouble | None:
    came = voice.answered + voice.broken
    if not came:
        return Trouble(Kind.SILENT, voice.who, 1.0, voice.silent)
    two = voice.doubled + voice.overlong
    overlong = voice.overlong >= LONG * max(voice.broken, 1)
    if two >= 2 and (voice.doubled >= 2 or (overlong and voice.damage >= HALF)):
        return Trouble(Kind.TWO_DEVICES, voice.who, min(0.5 + two / (2 * came), 0.99), two)
    if voice.damage > QUIET:
        return Trouble(Kind.BROKEN, voice.who, voice.damage, voice.broken)
    return None
