"""One line at work: what is due is read, stamped once, and handed on; what does not answer is backed off.

When to read what is the schedule's decision. Here is only the reading, the waiting and the telling.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, TypeVar

from drivers.errors import DriverError, Held, LineDown, NoAnswer, Refused
from gateway.liveness import DeviceHealth, LineHealth, State, Timing
from gateway.model import Quality
from gateway.opening import Opening
from gateway.orders import Order, Orders
from gateway.schedule import Schedule
from gateway.station import Load, Outlet, Sleepers, Station, Straight, Wakes
from gateway.turns import Member

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from drivers.entry import Device
    from gateway.clock import Clock
    from gateway.opening import Port
    from gateway.station import Accept
    from gateway.turns import Group, Turn

log = logging.getLogger(__name__)

T = TypeVar("T")

COMMAND_ROW = 4  # commands in a row before a due poll gets its turn: orders must not blind the alarms
HELD_LEAST = 0.02  # seconds before a device that was held back is tried again, whatever the line says
SILENT = 60.0  # seconds of silence of all devices before the port is closed and opened afresh


@dataclass(frozen=True, slots=True)
class Polled:
    """One device that the poller reads."""

    device: Device
    groups: tuple[Group, ...]  # see gateway.turns.groups
    lost_after: float = 3.0  # seconds


class Poller:
    """The owner of one line. `run` it in one task; `command` may be called from any other."""

    def __init__(
        self,
        name: str,
        line: Port,
        devices: Iterable[Polled],
        accept: Accept,
        clock: Clock,
        timing: Timing | None = None,
        wakes: Wakes | None = None,
    ) -> None:
        """`wakes`: the timers that it shares with other lines."""
        self.name = name
        self._line = line
        self._clock = clock
        timing = timing or Timing()
        self._lanes, self._phase = timing.inflight, timing.phase
        polled = tuple(devices)
        self._stations = {p.device.name: Station(p.device) for p in polled}
        now = clock.mono()
        self.schedule = Schedule([Member(p.device.name, p.groups, p.lost_after) for p in polled], now, timing)
        self._load = Load(self._lanes, now)
        self._outlet: Outlet | Straight = (
            Straight(accept) if self._lanes == 1 else Outlet(accept, self._lanes)
        )
        self._orders = Orders()
        self._row = 0
        self._sleepers = Sleepers(wakes or Wakes(), self.schedule.cycle)
        self._opening = Opening(name, line, self._tell_down)
        self._up = False
        self._silent_since = inf

    async def run(self) -> None:
        """Poll until cancelled. Expected failures stay in here; anything else is a bug and comes out."""
        phase = self._phase
        try:
            while True:
                await self._opening.bring_up()
                self._up = True
                self.schedule.restart(self._clock.mono() + phase)
                phase = 0.0
                await self._session()
                await self._line.close()
        finally:
            self._up = False
            self._sleepers.wake_all()
            self._orders.refuse_all(LineDown(f"line={self.name} is stopping"))
            await self._line.close()

    async def command(self, device: str, action: Callable[[Device], Awaitable[T]], expires: float = inf) -> T:
        """Run `action` on a device ahead of the next poll and return its result.

        Raises Busy at once when too many wait, LineDown at once while the line is down, NoAnswer at once
        for a lost device (then probed soon), Expired when monotonic `expires` passes in the queue,
        KeyError for an unknown device, and the DriverError or ValueError that `action` raises.
        """
        station = self._stations[device]
        if not self._up:
            raise LineDown(f"line={self.name} is down")
        life = self.schedule.units[device].life
        now = self._clock.mono()
        if life.state is State.LOST:
            self.schedule.nudge(device, now)
            self._sleepers.wake()
            silent = now - life.last_good
            raise NoAnswer(f"device={device} is lost, silent for {silent:.0f} s: {station.last_error}")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._orders.put(Order(device, action, expires, answer))
        self._sleepers.wake()
        return await answer

    def points(self, device: str) -> tuple[str, ...]:
        """Return the points that are read of the device. Raises KeyError."""
        return tuple(self.schedule.units[device].points)

    def serves(self, device: str) -> bool:
        """Return whether the device is on this line."""
        return device in self.schedule.units

    def nudge_lost(self, number: int) -> None:
        """Ask one of the lost devices at the next chance, the `number`th in turn: somebody listens for it."""
        lost = [name for name, unit in self.schedule.units.items() if unit.life.state is State.LOST]
        if lost:
            self.schedule.nudge(lost[number % len(lost)], self._clock.mono())
            self._sleepers.wake()

    def health(self) -> LineHealth:
        """Return what is known of the line now."""
        lives = [unit.life for unit in self.schedule.units.values()]
        return LineHealth(
            self.name,
            is_open=self._up,
            silent=self._up and self.schedule.silent,
            utilisation=self._load.share if self._up else 0.0,
            reopened=max(self._opening.opened - 1, 0),
            missed=self.schedule.missed,
            waiting=len(self._orders),
            polls=sum([life.polls for life in lives]),
            lost=tuple([life.device for life in lives if life.state is State.LOST]),
        )

    def devices(self) -> Iterator[DeviceHealth]:
        """Yield what is known of its devices now."""
        for name, unit in self.schedule.units.items():
            yield DeviceHealth.of(unit.life, self._stations[name].errors)

    def cycles(self) -> Iterator[tuple[str, float]]:
        """Yield the devices with the seconds between polls as they really are; 0 before the second poll."""
        return ((name, unit.life.cycle) for name, unit in self.schedule.units.items())

    async def _session(self) -> None:
        """Poll in as many lanes as the line has, until it goes down."""
        if isinstance(self._outlet, Straight):
            await self._lane()
            return
        outlet = asyncio.ensure_future(self._outlet.run())
        lanes = {asyncio.ensure_future(self._lane()) for _ in range(self._lanes)}
        working = set(lanes)
        try:
            while working:
                done, _ = await asyncio.wait({*working, outlet}, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()  # a bug comes out
                working -= done
        finally:
            for task in (*lanes, outlet):
                task.cancel()
            await asyncio.gather(*lanes, outlet, return_exceptions=True)

    async def _lane(self) -> None:
        """Do one thing after the other while the line is up: commands, due polls, sleep."""
        schedule = self.schedule
        while self._up:
            now = self._clock.mono()
            if self._orders and self._row < COMMAND_ROW:
                order = self._orders.take(schedule.hold)
                if order is not None:
                    self._row += 1
                    await self._obey(order, now)
                    continue
            turn = schedule.take(now)
            if turn is not None:
                self._row = 0
                if self._sleepers.any:
                    self._sleepers.wake()  # the next lane looks whether there is more to do
                await self._poll(turn)
            elif self._row:
                self._row = 0
            else:
                await self._sleepers.sleep(schedule.next_at(now) - now)

    async def _poll(self, turn: Turn) -> None:
        station = self._stations[turn.device]
        try:
            values, bad = await station.device.read(turn.points)
        except Held as error:
            self.schedule.held(turn, max(error.until, self._clock.mono() + HELD_LEAST))
            return
        except LineDown as error:
            self.schedule.released(turn)
            self._down(error)
            return
        except Refused as error:  # it answers, so it lives
            station.note(error)
            values, bad = {}, dict.fromkeys(turn.points, Quality.REFUSED)
        except DriverError as error:
            await self._failed(turn, station, error)
            return
        now = self._clock.now()
        self._load.add(now.mono - turn.started, now.mono)
        self._opening.proven = True
        since = turn.unit.life.last_good
        if self.schedule.good(turn, now.mono):
            self._silent_since = inf
            silent = now.mono - since
            log.info("device is back line=%s device=%s silent=%.1fs", self.name, turn.device, silent)
        await self._outlet.put((station.sample(now, values, bad),))

    async def _failed(self, turn: Turn, station: Station, error: DriverError) -> None:
        station.note(error)
        now = self._clock.now()
        self._load.add(now.mono - turn.started, now.mono)
        unit = turn.unit
        if self.schedule.failed(turn, now.mono):
            silent = now.mono - unit.life.last_good
            log.warning(
                "device is lost line=%s device=%s silent=%.1fs why=%s", self.name, turn.device, silent, error
            )
        lost = unit.life.state is State.LOST  # then nothing of it is known any more, not only this group
        bad = dict.fromkeys(unit.points if lost else turn.points, Quality.NO_ANSWER)
        await self._outlet.put((station.sample(now, {}, bad),))
        if self.schedule.silent:
            self._note_silence(now.mono)

    def _note_silence(self, now: float) -> None:
        """Every device is lost. Perhaps our adapter is stuck: now and then open the port afresh."""
        if self._silent_since == inf:
            self._silent_since = now
            log.warning("line is silent line=%s: none of its devices answers", self.name)
        elif now - self._silent_since >= SILENT:
            self._silent_since = now
            self._stop()

    async def _obey(self, order: Order, now: float) -> None:
        try:
            await order.carry_out(self._stations[order.device].device, now)
        finally:
            self.schedule.free(order.device)

    def _down(self, error: LineDown) -> None:
        if self._up:
            log.warning("line is down line=%s why=%s", self.name, error)
            self._orders.refuse_all(error)
            self._stop()

    def _stop(self) -> None:
        """End the session: every lane ends after what it is doing."""
        self._up = False
        self._sleepers.wake_all()

    async def _tell_down(self) -> None:
        now = self._clock.now()
        units = self.schedule.units
        await self._outlet.put(
            [
                station.sample(now, {}, dict.fromkeys(units[name].points, Quality.LINE_DOWN))
                for name, station in self._stations.items()
            ]
        )
        await self._outlet.flush()
