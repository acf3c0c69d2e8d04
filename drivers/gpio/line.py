"""All pins that a site uses, as one line. gpiozero is imported when the line is opened, not before.

A pin that is written is left as it is found, until the first order: a start of the gateway moves nothing.
When the line is closed the pins fall back to inputs: what a relay does then is up to its board.
"""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivers.errors import BadAnswer, LineDown
from drivers.line.stats import LineStats

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.gpio.family import Pin
    from drivers.line.dialect import UnitId
    from drivers.line.settings import LineSettings

RETRY = 5.0  # seconds between two tries to open
MISSING = "gpiozero is not installed: apt install python3-gpiozero, or pip install gpiozero lgpio"


@dataclass(frozen=True, slots=True)
class Look:
    """What is wanted of a pin: its state; before that, `value` where it is to be set."""

    unit: int | str
    pin: Pin
    output: bool
    value: bool | None = None


class GpioLine:
    """The pins of this machine; the contract is `drivers.line.Line`."""

    def __init__(self, settings: LineSettings) -> None:
        self.settings = settings
        self.stats = LineStats()
        self._gpiozero: Any = None  # the module, while the line is open
        self._pins: dict[int, tuple[Look, Any]] = {}
        self._hook: Callable[[str, bytes, float], None] | None = None

    @property
    def is_open(self) -> bool:
        """True while pins can be used."""
        return self._gpiozero is not None

    async def open(self) -> None:
        """Look for the library and the pins. Raises LineDown with what is missing."""
        try:
            library: Any = importlib.import_module("gpiozero")
        except ImportError as error:
            raise LineDown(f"line={self.settings.name}: {MISSING}") from error
        try:
            library.Device.ensure_pin_factory()
        except (library.GPIOZeroError, OSError) as error:
            raise LineDown(f"line={self.settings.name}: no pins here: {error}") from error
        self._gpiozero = library

    async def ready(self) -> None:
        """Return as soon as the line is open."""
        while not self.is_open:
            try:
                await self.open()
            except LineDown:
                await asyncio.sleep(RETRY)

    async def close(self) -> None:
        """Let go of every pin."""
        self._gpiozero = None
        pins, self._pins = self._pins, {}
        for _, device in pins.values():
            device.close()

    def held_until(self, unit: UnitId) -> float:
        """Return 0: a pin is never busy."""
        del unit
        return 0.0

    def listen(self, hook: Callable[[str, bytes, float], None] | None) -> None:
        """Show what is set and seen, as two bytes: the pin and its state."""
        self._hook = hook

    async def exchange(self, query: Look) -> bytes:
        """Set a pin where that is wanted; return its state as one byte. Raises BadAnswer, LineDown."""
        if not isinstance(query, Look):
            raise BadAnswer(f"line={self.settings.name}: pins take no frames")
        if self._gpiozero is None:
            raise LineDown(f"line={self.settings.name} is not open")
        unit = self.stats.unit(query.unit)
        self.stats.requests += 1
        unit.requests += 1
        try:
            device = self._device(query)
            if query.value is not None:
                device.value = query.value
                self._show(">>", query, on=query.value)
            state = bool(device.value)
        except (self._gpiozero.GPIOZeroError, OSError) as error:
            raise BadAnswer(f"GPIO{query.pin.number}: {error}") from error
        self.stats.replies += 1
        unit.replies += 1
        unit.last_reply = asyncio.get_running_loop().time()
        self._show("<<", query, on=state)
        return bytes([state])

    def _device(self, query: Look) -> Any:  # noqa: ANN401 - gpiozero has no types
        """Return what gpiozero has of the pin, made at the first use."""
        number, inverted = query.pin.number, query.pin.inverted
        known = self._pins.get(number)
        if known is not None:
            used, device = known
            if (used.output, used.pin) != (query.output, query.pin):
                raise BadAnswer(f"GPIO{number} is used in two ways; a pin is one point")
            return device
        if query.output:
            device = self._gpiozero.DigitalOutputDevice(number, active_high=not inverted, initial_value=None)
        else:
            device = self._gpiozero.DigitalInputDevice(number, pull_up=inverted)
        self._pins[number] = (query, device)
        return device

    def _show(self, way: str, query: Look, *, on: bool) -> None:
        if self._hook is not None:
            self._hook(way, bytes([query.pin.number & 0xFF, on]), asyncio.get_running_loop().time())
