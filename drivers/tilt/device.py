"""One inclinometer that answers 0x68 or 0x77 frames: angles, and gravity where it tells that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import BadAnswer
from drivers.items import compile_items
from drivers.line.asking import Asking, each
from drivers.tilt.family import commands, told
from drivers.tilt.frame import Family, Frame, TiltError
from drivers.tilt.query import ask
from drivers.tilt.values import decode_tilt

if TYPE_CHECKING:
    from drivers.items import Items
    from drivers.line import Line
    from drivers.profile import Profile
    from drivers.tilt.query import Query
    from gateway.model import Quality, Value


class TiltDevice:
    """A sensor behind `line` at `address`, as its `profile` says it is."""

    def __init__(self, name: str, profile: Profile, address: int, line: Line[Query], family: Family) -> None:
        self.name = name
        self.address = address
        self._profile = profile
        self._family = family
        self._asking = Asking(name, line, profile.limits.min_interval)
        self._items: dict[tuple[str, ...], Items] = {}

    async def read(self, points: tuple[str, ...]) -> tuple[dict[str, Value], dict[str, Quality]]:
        """Return the good values and why the others are bad. The contract is `drivers.entry.Device`."""
        items = self._items.get(points)
        if items is None:
            items = self._items[points] = compile_items(self._profile, points)
        self._asking.refuse_haste()
        carried: dict[str, float | None] = {}

        async def take(command: int) -> None:
            carried.update(await self._fetch(command))

        await each(commands(items.wanted), take, lambda _command: None)
        return items.values(carried)

    async def write(self, point: str, value: Value) -> Value:  # noqa: ARG002  the interface of a device
        """Refuse: nothing about a sensor is written."""
        raise ValueError(f"{self.name}: {point} may not be written")

    async def _fetch(self, command: int) -> dict[str, float | None]:
        query = ask(self._family, self.address, command)
        data = await self._asking.once_more(query)
        try:
            tilt = decode_tilt(Frame(self._family, self.address, query.shape[0], data))
        except TiltError as error:
            raise BadAnswer(f"{query}: {error}") from None
        if tilt is None:
            raise BadAnswer(f"{query}: no reading in {data.hex(' ')}")
        return told(command, tilt)
