"""One line on which devices speak by themselves: what they tell is stamped once and handed on.

The counterpart of the poller, with the same face for those who look at lines or give commands. Nothing is
ever asked to find out whether a device lives: it is lost when it was silent for three of its periods
(`every` is how often it is expected), a device that reports every ten minutes or less when two and a tenth
are over. A device that says nothing while all is well (a fire panel's printer) is never lost; only its line
can be.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, TypeVar

from drivers.conversation import Listeners
from drivers.errors import LineDown, NoAnswer
from gateway.liveness import DeviceHealth, LineHealth, State
from gateway.model import Quality
from gateway.opening import Opening
from gateway.orders import WAITING, Busy, Expired
from gateway.station import WINDOW, Station

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from drivers.conversation import Told
    from drivers.entry import Device
    from drivers.heard import HeardDevice
    from drivers.line.hearing import HearingLine
    from gateway.clock import Clock
    from gateway.model import Instant, Sample
    from gateway.station import Accept

log = logging.getLogger(__name__)

T = TypeVar("T")

SELDOM = 600.0  # seconds: who speaks less often is on a battery, and two reports missed are enough
LOOK = 10.0  # seconds between two looks at who has fallen silent, at most
STRANGERS_LOGGED = 256  # numbers that get a line in the log; more than that is somebody's game
BITS = 10  # of a character on the wire


@dataclass(frozen=True, slots=True)
class Expected:
    """One device that the site wants to hear."""

    device: HeardDevice
    points: tuple[str, ...]
    every: float  # seconds
    ask: float | None = None  # seconds: a board that can be asked is asked so often between its own words
    quiet: bool = False  # says nothing while all is well

    @property
    def lost_after(self) -> float:
        """Seconds of silence after which it counts as lost."""
        if self.quiet:
            return inf
        return self.every * (3.0 if self.every < SELDOM else 2.1)


class Ear:
    """What is kept of one device."""

    __slots__ = ("expected", "heard", "last", "missed", "state", "station", "words")

    def __init__(self, expected: Expected, now: float) -> None:
        self.expected = expected
        self.station = Station(expected.device)
        self.state = State.LIVE
        self.last = now  # at the start nothing is held against a device
        self.heard = False
        self.words = 0
        self.missed = 0  # times it was lost

    def health(self) -> DeviceHealth:
        """Return a picture. There is no cycle: a device that is late must not make itself less expected."""
        last = self.last if self.heard else None
        return DeviceHealth(
            self.expected.device.name,
            self.state,
            last,
            failures=0,
            polls=self.words,
            missed=self.missed,
            cycle=0.0,
            errors=dict(self.station.errors),
            quiet=self.expected.quiet,
        )


class Hearer:
    """The owner of one line. `run` it in one task; `command` may be called from any other."""

    def __init__(
        self,
        name: str,
        line: HearingLine,
        devices: Iterable[Expected],
        accept: Accept,
        clock: Clock,
        zone: dt.tzinfo,
    ) -> None:
        self.name = name
        self._line = line
        self._accept = accept
        self._clock = clock
        now = clock.mono()
        self._ears = {e.device.name: Ear(e, now) for e in devices}
        self._by_address = {ear.expected.device.address: ear for ear in self._ears.values()}
        every = {address: ear.expected.every for address, ear in self._by_address.items()}
        ask = {who: ear.expected.ask for who, ear in self._by_address.items() if ear.expected.ask is not None}
        line.expect(Listeners(every, zone, ask), clock.now)
        self._opening = Opening(name, line, self._tell_down)
        self._up = False
        self._commands = 0
        self._strangers: set[object] = set()
        self._strange = 0  # messages of strangers, as looked at
        self._load = (now, 0, 0.0)  # since, bytes then, share

    async def run(self) -> None:
        """Hear until cancelled. Expected failures stay in here; anything else is a bug and comes out."""
        try:
            while True:
                await self._opening.bring_up()
                self._up = True
                await self._session()
                self._up = False
                await self._line.close()
        finally:
            self._up = False
            await self._line.close()

    async def command(self, device: str, action: Callable[[Device], Awaitable[T]], expires: float = inf) -> T:
        """Run `action` on a device and return its result.

        Raises Busy at once when too many are under way, LineDown at once while the line is down, NoAnswer
        at once for a lost device, Expired when monotonic `expires` has passed, KeyError for an unknown
        device, and the DriverError or ValueError that `action` raises.
        """
        ear = self._ears[device]
        now = self._clock.mono()
        if not self._up:
            raise LineDown(f"line={self.name} is down")
        if ear.state is State.LOST:
            raise NoAnswer(f"device={device} is lost, silent for {now - ear.last:.0f} s")
        if now >= expires:
            raise Expired(f"device={device}: expired {now - expires:.1f} s before its turn")
        if self._commands >= WAITING:
            raise Busy(f"{WAITING} commands are under way on the line of {device} already; try later")
        self._commands += 1
        try:
            return await action(ear.expected.device)
        finally:
            self._commands -= 1

    def points(self, device: str) -> tuple[str, ...]:
        """Return the points a sample of the device may carry. Raises KeyError."""
        return self._ears[device].expected.points

    def serves(self, device: str) -> bool:
        """Return whether the device is on this line."""
        return device in self._ears

    def nudge_lost(self, number: int) -> None:
        """Do nothing: nobody is asked here."""

    def health(self) -> LineHealth:
        """Return what is known of the line now."""
        expected = [ear for ear in self._ears.values() if not ear.expected.quiet]
        now = self._clock.mono()
        return LineHealth(
            self.name,
            is_open=self._up,
            silent=self._up and bool(expected) and all(ear.state is State.LOST for ear in expected),
            utilisation=self._share(now) if self._up else 0.0,
            reopened=max(self._opening.opened - 1, 0),
            missed=self._line.dropped,
            waiting=self._commands,
            polls=sum(ear.words for ear in self._ears.values()),
            lost=tuple(name for name, ear in self._ears.items() if ear.state is State.LOST),
            strangers=tuple((str(s.who), s.peer, s.count, now - s.last) for s in self._line.strangers.all()),
            connections=self._line.connections,
        )

    def devices(self) -> Iterator[DeviceHealth]:
        """Yield what is known of its devices now."""
        return (ear.health() for ear in self._ears.values())

    def cycles(self) -> Iterator[tuple[str, float]]:
        """Yield nothing: nobody is polled."""
        return iter(())

    async def _session(self) -> None:
        while True:
            try:
                told = await self._line.hear(self._patience())
            except LineDown as error:
                log.warning("line is down line=%s why=%s", self.name, error)
                return
            now = self._clock.now()
            for samples in self._samples(told, now):
                await self._accept(samples)
            if lost := self._silent(now):
                await self._accept(lost)
            if self._line.strangers.total != self._strange:
                self._tell_strangers()

    def _samples(self, told: Sequence[Told], now: Instant) -> Iterable[Sequence[Sample]]:
        """Yield what each word makes known. Word by word: each event counts, none is folded into the next."""
        for word in told:
            if word.who is None:
                ears = list(self._ears.values())
            else:
                ears = [ear] if (ear := self._by_address.get(word.who)) is not None else []
            samples = []
            for ear in ears:
                if word.who is not None:
                    self._alive(ear, now)
                values, bad = ear.expected.device.understand(dict(word.items))
                if values or bad:
                    samples.append(ear.station.sample(now, values, bad))
            if samples:
                yield samples

    def _alive(self, ear: Ear, now: Instant) -> None:
        silent = now.mono - ear.last
        ear.last, ear.heard = now.mono, True
        ear.words += 1
        self._opening.proven = True
        if ear.state is State.LOST:
            ear.state = State.LIVE
            name = ear.expected.device.name
            log.info("device is back line=%s device=%s silent=%.1fs", self.name, name, silent)

    def _silent(self, now: Instant) -> list[Sample]:
        """Return what is to be said of devices that have been silent for too long, once for each."""
        lost = []
        for ear in self._ears.values():
            silent = now.mono - ear.last
            if ear.state is State.LOST or silent < ear.expected.lost_after:
                continue
            ear.state = State.LOST
            ear.missed += 1
            name, every = ear.expected.device.name, ear.expected.every
            what = "device is lost line=%s device=%s silent=%.1fs expected every %gs"
            log.warning(what, self.name, name, silent, every)
            lost.append(ear.station.sample(now, {}, dict.fromkeys(ear.expected.points, Quality.NO_ANSWER)))
        return lost

    def _patience(self) -> float:
        now = self._clock.mono()
        due = [
            ear.last + ear.expected.lost_after for ear in self._ears.values() if ear.state is not State.LOST
        ]
        return min(max(min(due, default=inf) - now, 0.01), LOOK)

    def _tell_strangers(self) -> None:
        self._strange = self._line.strangers.total
        for stranger in self._line.strangers.all():
            if stranger.who not in self._strangers and len(self._strangers) < STRANGERS_LOGGED:
                self._strangers.add(stranger.who)
                what = "%s speaks but is not in the site file line=%s from=%s"
                log.warning(what, stranger.who, self.name, stranger.peer)

    async def _tell_down(self) -> None:
        now = self._clock.now()
        await self._accept(
            [
                ear.station.sample(now, {}, dict.fromkeys(ear.expected.points, Quality.LINE_DOWN))
                for ear in self._ears.values()
            ]
        )

    def _share(self, now: float) -> float:
        """Return which part of a serial line's time its bytes take, over the last whole window."""
        since, before, share = self._load
        if now - since >= WINDOW:
            settings, heard = self._line.settings, self._line.stats.bytes_in
            wire = settings.baud / BITS * (now - since)
            share = min((heard - before) / wire, 1.0) if settings.serial is not None else 0.0
            self._load = (now, heard, share)
        return share
