"""A fire panel's printer port: a detector prints its fire and its reset, the panel all else. Pure.

Each detector plays for itself: two that burn at a time print 首次火警 both, the reset of one is the
panel's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.gst9000.record import Record, encode_record
from drivers.gst9000.talk import PANEL, SLOTS
from drivers.simulator.held import Held

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Point

LOOK: Final = 0.2  # seconds between two looks at itself
GARBAGE: Final = b"\x1b@\x12 power on self test \x07\n"


class Printed(Held):
    """A detector or the panel itself, and what is printed of it."""

    def __init__(self, points: Mapping[str, Point], address: int | str) -> None:
        super().__init__(points)
        self._place = str(address)
        self._next = 0.0
        self._told: dict[str, object] = {}

    def next_word(self) -> float:
        """Return when it looks at itself next."""
        return self._next

    def speak(self, now: float, t: float) -> bytes:
        """Return what is printed of what has changed."""
        self._next = now + LOOK
        when = f"26/11/{1 + int(t // 86400) % 28:02d}  {int(t // 3600) % 24:02d}:{int(t // 60) % 60:02d}"
        return self._panel(when) if self._place == PANEL else self._detector(when)

    def _detector(self, when: str) -> bytes:
        if not self._changed("fire", bool(self.number("fire"))):
            return b""
        return _print(self._place, "首次火警" if self.number("fire") else "复位", when)

    def _panel(self, when: str) -> bytes:
        said = b""
        for slot in (f"slot.{n}" for n in range(1, SLOTS + 1)):
            if self._changed(slot, self.text(slot)):
                place = self.text(slot)
                said += _print(place or "000-000", "火警" if place else "复位", when)
        if self._changed("unknown", self.text("unknown")) and self.text("unknown"):
            place, _, words = self.text("unknown").partition(" ")
            said += _print(place, words, when)
        if self._changed("unreadable", bool(self.number("unreadable"))) and self.number("unreadable"):
            said += GARBAGE
        return said

    def _changed(self, what: str, now: object) -> bool:
        before = self._told.get(what)
        self._told[what] = now
        return bool(now) if before is None else before != now


def _print(place: str, words: str, when: str) -> bytes:
    loop, _, point = place.partition("-")
    return encode_record(Record(int(loop), int(point), words, when))
