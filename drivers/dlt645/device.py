"""One DL/T 645 meter: its items read in few requests, its relay ordered where that is allowed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from drivers.codec.encode import refusal
from drivers.cutter import FrameError
from drivers.dlt645 import orders, query
from drivers.dlt645.frame import Edition
from drivers.dlt645.identifiers import decode_value, decode_values
from drivers.dlt645.items import RELAY, RELAY_BIT, RELAY_WORD, Di, di_of
from drivers.dlt645.plan import Cost, Lessons, Read, plan
from drivers.errors import BadAnswer, NoAnswer, Refused
from drivers.items import compile_items
from drivers.line.asking import Asking, each
from gateway.model import Quality

if TYPE_CHECKING:
    from drivers.dlt645.orders import Password
    from drivers.dlt645.query import Query
    from drivers.items import Items
    from drivers.line import Line
    from drivers.profile import Profile
    from gateway.model import Value

    Carried = dict[Di, Value | Quality | None]

NO_SUCH_DATA: Final = 0x02
MOST_FOLLOW_UPS: Final = 16
"""Frames of one answer: more than any meter has data for. Beyond it the answer is broken."""
SETTLING: Final = (0.2, 0.5, 1.0)
"""Seconds between looks at the relay after an order, until it stands as ordered: relays take their time."""


class Dlt645Device:
    """A meter behind `line` at `address` (12 digits, or with wildcards), as its `profile` says it is."""

    def __init__(self, name: str, profile: Profile, address: str, line: Line[Query]) -> None:
        self.name = name
        self.address = address
        self._profile = profile
        self._line = line
        self._asking = Asking(name, line, profile.limits.min_interval)
        self._lessons = Lessons()
        self._items: dict[tuple[str, ...], Items] = {}
        self._password: Password | None = None
        self._was_silent = False

    def unlock(self, password: str) -> None:
        """Take the password for orders. Raises ValueError when it is none."""
        self._password = orders.parse_password(password)

    async def read(self, points: tuple[str, ...]) -> tuple[dict[str, Value], dict[str, Quality]]:
        """Return the good values and why the others are bad. The contract is `drivers.entry.Device`."""
        items = self._items.get(points)
        if items is None:
            items = self._items[points] = compile_items(self._profile, points)
        self._asking.refuse_haste()
        wanted = {item: di_of(item) for item in items.wanted}
        try:
            carried = await self._collect(set(wanted.values()))
        except NoAnswer:
            self._was_silent = True
            raise
        self._lessons.forget(asyncio.get_running_loop().time(), away=self._was_silent)
        self._was_silent = False
        return items.values({item: _for_item(item, carried[di]) for item, di in wanted.items()})

    async def write(self, point: str, value: Value) -> Value:
        """Order the relay and return how it stands afterwards; see `drivers.entry.Device`."""
        what = self._profile.points.get(point)
        if what is None or what.write is None or what.item != RELAY or what.enum is None:
            raise ValueError(f"{self.name}: {point} may not be written")
        if why := refusal(what, value):
            raise ValueError(f"{self.name}: {point}: {why}")
        if not self.address.isdecimal():
            raise ValueError(
                f"{self.name}: an order goes to one meter by its whole address, not to a wildcard"
            )
        if self._password is None:
            raise ValueError(
                f"{self.name}: an order needs the meter's password; see `password` of the device"
            )
        code = next(code for code, word in what.enum.items() if word == value)
        if code not in orders.BY_CODE:
            raise ValueError(f"{self.name}: {point}: {value!r} ({code}) is no order; 0, 1 and 2 are")
        await self._order(code, self._password)
        held = await self._settled(orders.AFTERWARDS.get(orders.BY_CODE[code]))
        return what.enum.get(held, held)

    async def _collect(self, wanted: set[Di]) -> Carried:
        """Ask for the items and blocks one after the other; every wanted item gets a value or a quality."""
        lessons, blocks = self._lessons, self._profile.limits.bridge
        carried: Carried = dict.fromkeys(wanted & lessons.refused, Quality.REFUSED)  # unless asked again
        turnaround = self._line.stats.unit(self.address).turnaround.quantile(0.5)
        cost = Cost.of_line(self._line.settings, turnaround)
        known = lessons.refused if wanted - lessons.refused else frozenset()  # a meter is never left unasked
        reads = plan(sorted(wanted), cost, known, blocks=blocks)

        async def take(read: Read) -> None:
            await (self._take_block if read.is_block else self._take_item)(read, carried)

        def lost(read: Read) -> None:
            for di, _ in read.members:
                carried.setdefault(di, Quality.NO_ANSWER)

        await each(reads, take, lost)
        return carried

    async def _take_item(self, read: Read, carried: Carried) -> None:
        """Read one item."""
        di = read.di
        try:
            data = await self._fetch(di)
            carried[di] = None if di.how is None else decode_value(di.how, data)
        except Refused as error:
            carried[di] = Quality.REFUSED
            if error.code & NO_SUCH_DATA:
                self._learn(di)
        except FrameError as error:
            raise BadAnswer(f"meter {self.address} {di}: {error}") from None

    async def _take_block(self, read: Read, carried: Carried) -> None:
        """Read one block; its items one by one when the meter refuses it, or gives another than we know."""
        try:
            values = decode_values(read.di.number, await self._fetch(read.di), read.di.edition)
            carried.update({di: values[at] for di, at in read.members})
        except (Refused, FrameError, IndexError):
            self._learn(read.di)
            for di, _ in read.members:
                await self._take_item(Read.single(di), carried)

    async def _fetch(self, di: Di) -> bytes:
        """Return the data behind an identifier, follow-up frames joined to the first."""
        width = query.width(di.edition)
        answer = await self._asking.once_more(query.read(self.address, di.number, di.edition))
        more, data = answer[width], answer[width + 1 :]
        number = 0
        counter = 0 if di.edition is Edition.Y1997 else 1
        while more:
            number += 1
            if number > MOST_FOLLOW_UPS:
                raise BadAnswer(f"meter {self.address} {di}: an answer without end")
            asked = query.read_next(self.address, di.number, number, di.edition)
            answer = await self._asking.once_more(asked)
            more, data = answer[width + counter], data + answer[width + counter + 1 :]
        return data

    def _learn(self, di: Di) -> None:
        self._lessons.learn(di, asyncio.get_running_loop().time())

    async def _order(self, code: int, password: Password) -> None:
        """Send the order; it ends a few minutes later by the meter's own clock, which is read first."""
        # The time before the date: midnight between them makes the order last longer, never end at once.
        time = await self._text(orders.TIME)
        date = await self._text(orders.DATE)
        try:
            order = orders.order(code, password, orders.expiry(date, time))
        except ValueError as error:
            raise BadAnswer(f"meter {self.address}: {error}; set it before giving orders") from None
        await self._asking.patient(query.relay(self.address, order))

    async def _text(self, number: int) -> str:
        value = await self._single(number)
        if not isinstance(value, str):
            raise BadAnswer(f"meter {self.address} {number:08X}: no digits")
        return value

    async def _single(self, number: int) -> Value | None:
        di = Di(number, Edition.Y2007)
        answer = await self._asking.patient(query.read(self.address, number))
        try:
            return None if di.how is None else decode_value(di.how, answer[5:])
        except FrameError as error:
            raise BadAnswer(f"meter {self.address} {di}: {error}") from None

    async def _settled(self, wanted: int | None) -> int:
        """Return the state of the relay (0 closed, 1 open) once it is as `wanted`, or has had time enough."""
        held = -1
        for pause in SETTLING:
            await asyncio.sleep(pause)
            word = await self._single(RELAY_WORD)
            held = int(word or 0) >> RELAY_BIT & 1
            if held == wanted:
                break
        return held


def _for_item(item: str, value: Value | Quality | None) -> Value | Quality | None:
    """Return what an item of a profile is, of what its identifier brought."""
    if item == RELAY and isinstance(value, int):
        return value >> RELAY_BIT & 1
    return value
