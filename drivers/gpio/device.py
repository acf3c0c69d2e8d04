"""A device whose points are pins: read one by one, written and read back in engineering units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.codec.encode import refusal
from drivers.errors import BadAnswer
from drivers.gpio.family import parse
from drivers.gpio.line import Look
from drivers.items import compile_items
from gateway.model import Quality

if TYPE_CHECKING:
    from drivers.items import Items
    from drivers.line import Line
    from drivers.profile import Point, Profile
    from gateway.model import Value


class GpioDevice:
    """Some pins of this machine; the contract is `drivers.entry.Device`."""

    def __init__(self, name: str, profile: Profile, address: int | str, line: Line[Look]) -> None:
        self.name = name
        self._profile, self._address, self._line = profile, address, line
        self._items: dict[tuple[str, ...], Items] = {}

    async def read(self, points: tuple[str, ...]) -> tuple[dict[str, Value], dict[str, Quality]]:
        """Return the good values, and why the others are bad."""
        items = self._items.get(points)
        if items is None:
            items = self._items[points] = compile_items(self._profile, points)
        carried: dict[str, Value | None] = {}
        failure: BadAnswer | None = None
        for name in self._profile.needs(points):
            point = self._profile.points[name]
            try:
                carried[point.item] = await self._look(point)
            except BadAnswer as error:
                failure = error
        if failure is not None and not carried:
            raise failure
        return items.values(carried, Quality.REFUSED)

    async def write(self, point: str, value: Value) -> Value:
        """Set one pin and return what it shows afterwards."""
        what = self._profile.points.get(point)
        if what is None or what.write is None:
            raise ValueError(f"{self.name}: {point} may not be written")
        if why := refusal(what, value):
            raise ValueError(f"{self.name}: {point}: {why}")
        await self._look(what, on=_is_on(what, value))
        if not (what.readable and what.write.read_back):
            return value
        values, bad = await self.read((point,))
        if point in values:
            return values[point]
        raise BadAnswer(f"{self.name}: {point} was written, but reading it back gave {bad.get(point)}")

    async def _look(self, point: Point, *, on: bool | None = None) -> bool:
        look = Look(self._address, parse(point.item), output=point.write is not None, value=on)
        return bool((await self._line.exchange(look))[0])


def _is_on(point: Point, value: Value) -> bool:
    """Return the state that a word or a bit stands for."""
    if point.enum is not None:
        return bool(next(code for code, word in point.enum.items() if word == value))
    return bool(value)
