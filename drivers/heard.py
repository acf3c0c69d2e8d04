"""A device that speaks by itself: what it said, as points. It is never asked for a reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.codec.encode import refusal
from drivers.errors import NoAnswer
from drivers.items import compile_items
from gateway.model import Quality

if TYPE_CHECKING:
    from drivers.conversation import Raw, Who
    from drivers.line.hearing import HearingLine
    from drivers.profile import Profile
    from gateway.model import Value

    Mapped = dict[str, Raw]


class HeardDevice:
    """One device on a line on which devices speak by themselves."""

    def __init__(self, name: str, profile: Profile, address: Who, line: HearingLine) -> None:
        self.name = name
        self.address = address
        self._points = profile.points
        self._items = compile_items(profile, profile.reported)
        self._line = line
        self._values: dict[str, Value] = {}  # as told last
        self._bad: dict[str, Quality] = {}

    def understand(self, items: Mapped) -> tuple[dict[str, Value], dict[str, Quality]]:
        """Return what a message says of the points it carries, and why some of them are bad.

        A message tells a part: a point that it does not carry is not bad, it is as it was.
        """
        values, bad = self._items.values(items)
        bad = {point: why for point, why in bad.items() if why is not Quality.NO_ANSWER}
        for point, value in values.items():
            self._values[point] = value
            self._bad.pop(point, None)
        for point, why in bad.items():
            self._bad[point] = why
            self._values.pop(point, None)
        return values, bad

    async def read(self, points: tuple[str, ...]) -> tuple[dict[str, Value], dict[str, Quality]]:
        """Return what was told last. Raises NoAnswer while nothing was."""
        if not self._values and not self._bad:
            raise NoAnswer(f"{self.name} speaks by itself and has not spoken yet")
        values = {point: self._values[point] for point in points if point in self._values}
        return values, {
            point: self._bad.get(point, Quality.NO_ANSWER) for point in points if point not in values
        }

    async def write(self, point: str, value: Value) -> Value:
        """Write one point and return what the device says it holds afterwards.

        Raises NoAnswer when it is not connected or does not answer, Refused, and ValueError for a point that may
        not be written or a value that cannot be.
        """
        known = self._points.get(point)
        if known is None or (why := refusal(known, value)):
            raise ValueError(f"{self.name}: {point}: {'there is no such point' if known is None else why}")
        return await self._line.order(self.address, known.item, value)
