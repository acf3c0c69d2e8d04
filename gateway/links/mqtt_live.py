"""Last values over MQTT: at once when they change, then at most once a second per device."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Protocol

from gateway.links import encode
from gateway.links.live import Pace
from gateway.links.mqtt_broker import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.board import Board
    from gateway.clock import Clock


class Screen(Protocol):
    """What a connection is here: `gateway.links.mqtt_client.Connection`."""

    @property
    def congested(self) -> bool:
        """Whether nothing may be shown for now."""

    def show(self, messages: Iterable[Message]) -> None:
        """Send what nobody acknowledges."""


class LiveTeller:
    """Reads the board and publishes `live/{device}`, retained, QoS 0: the next one replaces a lost one."""

    def __init__(
        self,
        board: Board,
        facts: Mapping[str, encode.Facts],
        topics: encode.Topics,
        clock: Clock,
        every: float = 1.0,
    ) -> None:
        """Take how many seconds there are at least between two messages of a device: `every`."""
        self._board, self._facts, self._topics, self._clock = board, facts, topics, clock
        self._pace = Pace(every)
        self._waits = asyncio.Event()  # something waits for its time

    async def run(self, screen: Screen) -> None:
        """Publish until cancelled; begins with every device that has ever been read."""
        self._pace.forget()
        now = self._clock.mono()
        for name in self._board.since(0):
            self._pace.put_off(name, now - self._pace.every)
        changed = partial(self._changed, screen)
        self._board.listeners.append(changed)
        try:
            while True:
                self._waits.clear()
                now = self._clock.mono()
                self._show(screen, self._pace.due(now), now)
                deadline = self._pace.next_deadline()
                await wait(self._waits, None if deadline is None else deadline - now)
        finally:
            self._board.listeners.remove(changed)

    def _changed(self, screen: Screen, name: str) -> None:
        """Tell of a device in the very step that has read it, or see that `run` wakes up to do it."""
        now, awaited = self._clock.mono(), self._pace.next_deadline()
        if self._pace.changed(name, now):
            self._show(screen, [name], now)
        if self._pace.next_deadline() != awaited:
            self._waits.set()

    def _show(self, screen: Screen, names: list[str], now: float) -> None:
        if screen.congested:  # later: that will hold all that this would have said
            for name in names:
                self._pace.put_off(name, now)
        elif names:
            screen.show([self._message(name, now) for name in names])

    def _message(self, name: str, now: float) -> Message:
        facts = self._facts.get(name, encode.Facts(""))
        payload = encode.live(name, facts, self._board.devices[name].samples, now_mono=now)
        return Message(self._topics.live(name), payload, qos=0, retain=True)


async def wait(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for the event; after so many seconds it is set, so that whoever waits for it looks anyway."""
    alarm = None if seconds is None else asyncio.get_running_loop().call_later(max(0.0, seconds), event.set)
    try:
        await event.wait()
    finally:
        if alarm:
            alarm.cancel()
