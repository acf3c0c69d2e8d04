"""One Modbus device: its points read in few requests, written one by one, in engineering units."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from drivers.errors import BadAnswer, Held, NoAnswer, Refused
from drivers.line.asking import Asking, each
from drivers.modbus import orders, pdu
from drivers.modbus.plan import NOTHING, Cost, Lessons
from drivers.modbus.reading import READ, make_part, prepare
from drivers.points import encode, refusal
from gateway.model import Quality

if TYPE_CHECKING:
    from drivers.line import Line
    from drivers.modbus.pdu import Query
    from drivers.modbus.reading import Part, Reading
    from drivers.profile import Point, Profile
    from gateway.model import Value

    Good = dict[str, Value]
    Bad = dict[str, Quality]

WORTH_SPLITTING = frozenset({2, 3})  # illegal address; some devices say illegal value instead
RELEARN = 3600.0  # seconds after which a device is asked again for what it refused


class ModbusDevice:
    """A device behind `line` at `address`, as its `profile` (with the site's re-mapping) says it is."""

    def __init__(self, name: str, profile: Profile, address: int, line: Line[Query]) -> None:
        self.name = name
        self.address = address
        self._profile = profile
        self._line = line
        self._lessons = Lessons(profile.points)
        self._readings: dict[tuple[str, ...], Reading] = {}
        self._planned_with = NOTHING
        self._learnt_at: float | None = None  # when the first refusal was remembered
        self._was_silent = False
        self._asking = Asking(name, line, profile.limits.min_interval)

    async def read(self, points: tuple[str, ...]) -> tuple[Good, Bad]:
        """Return the good values and why the others are bad. The contract is `drivers.entry.Device`."""
        if self._lessons.known is not self._planned_with:
            self._forget_plans()
        reading = self._readings.get(points)
        if reading is None:
            reading = self._prepare(points)
        self._asking.refuse_haste()
        try:
            values, bad = await self._collect(reading)
        except NoAnswer:
            self._was_silent = True
            raise
        if self._was_silent or self._lessons.known.absent:
            self._relearn()
        for name in reading.absent:
            bad[name] = Quality.REFUSED
        if reading.finish is not None:
            reading.finish(values, bad)
        if reading.exact:
            return values, bad
        wanted = reading.wanted
        return (
            {name: value for name, value in values.items() if name in wanted},
            {name: quality for name, quality in bad.items() if name in wanted},
        )

    async def write(self, point: str, value: Value) -> Value:
        """Write one point and return what the device holds afterwards; see `drivers.entry.Device`."""
        what = self._profile.points.get(point)
        if what is None or what.write is None:
            raise ValueError(f"{self.name}: {point} may not be written")
        why = refusal(what, value)
        if why:
            raise ValueError(f"{self.name}: {point}: {why}")
        place = orders.written(what)
        registers = encode(place, value, await self._base(place), await self._decimals(what))
        query = orders.write_query(self.address, place, registers)
        await self._asking.patient(query)
        if not (what.readable and what.write.read_back):
            return value
        held, bad = await self._read_back(point)
        if point in held:
            return held[point]
        raise BadAnswer(f"{self.name}: {point} was written, but reading it back gave {bad.get(point)}")

    async def _collect(self, reading: Reading) -> tuple[Good, Bad]:
        """Ask for the blocks one after the other. A unit that is silent is not asked for the next one."""
        values: Good = {}
        bad: Bad = {}
        parts = reading.parts
        if len(parts) == 1:  # the common case, without the bookkeeping
            try:
                return parts[0].decoder.decode((await self._asking.once_more(parts[0].query))[1:])
            except Refused as error:
                await self._divide(parts[0], error, values, bad)
                return values, bad

        async def take(part: Part) -> None:
            await self._take(part, values, bad)

        def lost(part: Part) -> None:
            bad.update(dict.fromkeys(part.block.points, Quality.NO_ANSWER))

        await each(parts, take, lost)
        return values, bad

    async def _take(self, part: Part, values: Good, bad: Bad) -> None:
        """Read one block into `values` and `bad`."""
        try:
            data = await self._asking.once_more(part.query)
        except Refused as error:
            await self._divide(part, error, values, bad)
            return
        self._lessons.answered(part.block)
        good, wrong = part.decoder.decode(data[1:])
        values |= good
        bad |= wrong

    async def _divide(self, part: Part, error: Refused, values: Good, bad: Bad) -> None:
        """Read a refused block in halves when its addresses may be the cause; else its points are bad."""
        if error.code in pdu.NO_TARGET:  # a gateway speaks for a unit that is not there
            raise NoAnswer(str(error)) from error
        smaller = self._lessons.refused(part.block) if error.code in WORTH_SPLITTING else ()
        if not smaller:
            bad |= dict.fromkeys(part.block.points, Quality.REFUSED)
        for block in smaller:
            await self._take(make_part(self._profile, block, self.address), values, bad)

    def _relearn(self) -> None:
        """Ask again for what was refused: the device was away and may be another, or time has passed."""
        now = asyncio.get_running_loop().time()
        since = now if self._learnt_at is None else self._learnt_at
        if (self._was_silent or now - since > RELEARN) and self._lessons.known.absent:
            self._lessons.again()
            since = now
        self._was_silent = False
        self._learnt_at = since if self._lessons.known.absent else None

    def _forget_plans(self) -> None:
        self._planned_with = self._lessons.known
        self._readings.clear()

    def _prepare(self, points: tuple[str, ...]) -> Reading:
        turnaround = self._line.stats.unit(self.address).turnaround.quantile(0.5)
        cost = Cost.of_line(self._line.settings, turnaround)
        reading = prepare(self._profile, points, self.address, cost, self._lessons.known)
        self._readings[points] = reading
        return reading

    async def _read_back(self, point: str) -> tuple[Good, Bad]:
        """Read what was written, as a poll does, but waiting where a poll gives way."""
        while True:
            try:
                return await self.read((point,))
            except Held as held:
                await self._asking.wait_out(held)

    async def _base(self, point: Point) -> list[int] | None:
        """Return what the registers hold now, where the point is only a part of them."""
        if not orders.is_part(point):
            return None
        answer = await self._asking.patient(
            pdu.read(self.address, READ[point.table], point.address, point.count)
        )
        return list(pdu.registers(answer))

    async def _decimals(self, point: Point) -> int:
        if point.scale_from is None:
            return 0
        values, bad = await self._read_back(point.scale_from)
        decimals = values.get(point.scale_from)
        if not isinstance(decimals, int):
            raise BadAnswer(
                f"{self.name}: {point.scale_from} is {bad.get(point.scale_from)}, so the scale is unknown"
            )
        return decimals
