"""Listens at the printer port of a fire panel: events in, the state of detectors out. Pure.

What a panel prints are events, not levels: 首次火警 and 火警 of a loop and point hold until 复位. A reset
is one of the whole panel, whatever place is printed with it: what still burns after it is printed anew.

A detector's address is "LLL-PPP", the panel's own is "panel". A fire at a place that the site does not list
is never lost: it fills one of the panel's slots, so each is an alarm of its own. Nothing is asked and
nothing can be: a printer port is silent while all is well.

Items of a detector: `fire`, `first` (it was the first fire since the last reset). Items of the panel:
`fires` (places that burn), `slot.N` (1 to 8: a place that is not listed, "" for none), `unknown` (the words
of the last record nobody knows, with its place; "" after a known one), `unreadable` (damaged records or
other text were printed since the last sound record), `last` (the last record as text).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from drivers.conversation import Heard, Raw, Silent, Told
from drivers.gst9000.record import Cutter

if TYPE_CHECKING:
    from drivers.conversation import Listeners, Who
    from drivers.gst9000.record import Record
    from gateway.model import Instant

PANEL: Final = "panel"
SLOTS: Final = 8
MOST_FIRES: Final = 4096  # places that burn; a panel has no more
SOME: Final = 4  # bytes of line ends and spaces between records that mean nothing
_PLACE: Final = re.compile(r"0*([0-9]{1,3})-0*([0-9]{1,3})")
_ITEMS: Final = frozenset({"fire", "first", "fires", "unknown", "unreadable", "last"}) | {
    f"slot.{n}" for n in range(1, SLOTS + 1)
}


def check_item(item: str) -> str:
    """Return "" for an item a panel can tell, else what is wrong."""
    return "" if item in _ITEMS else f"a panel tells {', '.join(sorted(_ITEMS))}, not {item!r}"


def address_of(address: Who) -> str:
    """Return "LLL-PPP" or "panel". Raises ValueError."""
    text = str(address).strip()
    if text == PANEL:
        return text
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError('must be "panel", or loop and point of a detector such as "004-012", in quotes')
    return place(int(found[1]), int(found[2]))


def place(loop: int, point: int) -> str:
    """Return how a place is written."""
    return f"{loop:03d}-{point:03d}"


class Printer(Silent):
    """One printer port."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self._cutter = Cutter()
        self._burning: dict[str, None] = {}  # places, in the order they caught fire
        self._slots: list[str] = [""] * SLOTS
        self._noise = 0  # bytes when the last sound record ended
        self._refused = 0
        self.frames = 0
        self.unknown = 0  # records with words nobody knows

    @property
    def noise(self) -> int:
        """Bytes that belonged to no record."""
        return self._cutter.noise

    def receive(self, data: bytes, now: Instant) -> Heard:
        """Take in bytes; tell what the whole records among them say, and that some could not be read."""
        del now
        cutter = self._cutter
        records = cutter.feed(data)
        self.frames += len(records)
        told = [word for record in records for word in self._hear(record)]
        unreadable = cutter.refused > self._refused or cutter.noise > self._noise + SOME * (len(records) + 1)
        if unreadable:
            told.append(Told(PANEL, {"unreadable": True}))
        if unreadable or records:
            self._noise, self._refused = cutter.noise, cutter.refused
        return Heard(tuple(told))

    def _hear(self, record: Record) -> list[Told]:
        where = place(record.loop, record.point)
        last = f"{where} {record.words.strip()} {record.printed}"
        panel: dict[str, Raw] = {"last": last, "unreadable": False, "unknown": ""}
        match record.kind:
            case "first_fire" | "fire":
                return self._fire(where, panel, first=record.kind == "first_fire")
            case "reset":
                self._burning.clear()
                self._slots = [""] * SLOTS
                panel |= {"fires": 0, **self._slot_items()}
                return [Told(None, {"fire": False, "first": False}), Told(PANEL, panel)]
            case _:
                self.unknown += 1
                panel["unknown"] = f"{where} {record.words.strip()}"
                return [*self._listed(where, {}), Told(PANEL, panel)]

    def _fire(self, where: str, panel: dict[str, Raw], *, first: bool) -> list[Told]:
        if where not in self._listeners and where not in self._burning:
            self._fill(where)
        if len(self._burning) < MOST_FIRES:
            self._burning[where] = None
        panel |= {"fires": len(self._burning), **self._slot_items()}
        return [*self._listed(where, {"fire": True, "first": first}), Told(PANEL, panel)]

    def _fill(self, where: str) -> None:
        """Put a place that is not listed into the first free slot; the last one takes all that come after."""
        free = next((n for n, taken in enumerate(self._slots) if not taken), SLOTS - 1)
        taken = self._slots[free]
        self._slots[free] = f"{taken} {where}"[:200] if taken else where

    def _slot_items(self) -> dict[str, Raw]:
        return {f"slot.{n}": text for n, text in enumerate(self._slots, start=1)}

    def _listed(self, where: str, items: dict[str, Raw]) -> list[Told]:
        return [Told(where, items)] if where in self._listeners else []
