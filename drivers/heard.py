"""A device that speaks by itself: what it said, as points. It is never asked for a reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.codec.encode import refusal
from drivers.errors import NoAnswer
from drivers.items import compile_items
from drivers.modbus.report import blocks
from drivers.points import compile_block, compile_finish
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
        return self._remember(values, {p: why for p, why in bad.items() if why is not Quality.NO_ANSWER})

    def _remember(
        self, values: dict[str, Value], bad: dict[str, Quality]
    ) -> tuple[dict[str, Value], dict[str, Quality]]:
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

        Raises NoAnswer when it is not connected or does not answer, Refused, and ValueError for a point
        that may not be written or a value that cannot be.
        """
        known = self._points.get(point)
        if known is None or (why := refusal(known, value)):
            raise ValueError(f"{self.name}: {point}: {'there is no such point' if known is None else why}")
        return await self._line.order(self.address, known.item, value)


class HeardRegisters(HeardDevice):
    """A device whose messages are Modbus answers that nobody asked for: see `drivers.modbus.report`."""

    def __init__(self, name: str, profile: Profile, address: Who, line: HearingLine) -> None:
        super().__init__(name, profile, address, line)
        self._reported = frozenset(profile.reported)
        self._finish = compile_finish(profile)
        self._decoders = {
            (block.table.value, block.count): compile_block(
                {point: profile.points[point] for point in block.points},
                block.start,
                block.count,
                block.table,
            )
            for block in blocks(profile)
        }

    def understand(self, items: Mapped) -> tuple[dict[str, Value], dict[str, Quality]]:
        """Return what a report says; one of a length that no block has says nothing."""
        values: dict[str, Value] = {}
        bad: dict[str, Quality] = {}
        for table, text in items.items():
            data = bytes.fromhex(str(text))
            decoder = self._decoders.get((table, len(data) // 2))
            if decoder is not None:
                good, wrong = decoder.decode(data)
                values |= good
                bad |= wrong
        if values and self._finish is not None:
            self._finish(values, bad)
        return self._remember(
            {point: value for point, value in values.items() if point in self._reported},
            {point: why for point, why in bad.items() if point in self._reported},
        )

    async def write(self, point: str, value: Value) -> Value:
        """Refuse. Raises ValueError: a device that sleeps between its reports hears nothing."""
        del value
        raise ValueError(f"{self.name}: {point} cannot be written: the device sleeps between its reports")
