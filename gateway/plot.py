"""A curve, its limits and its alarms, as plain text for a terminal or as an SVG file. Pure.

The text is ASCII but for what people wrote: other drawing characters are two columns wide on some Chinese
terminals and one on others, and nothing would stand above anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape
from typing import TYPE_CHECKING

from wcwidth import wcswidth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

NANO = 10**9
BUCKETS = 1200
WIDE, HIGH = 960, 360  # of the SVG, in its units
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 40
LANE = 18  # height of one row of marks
COLOURS = ("#c0392b", "#2471a3")  # of today's rules and the proposed ones: apart also for the colour-blind


class Curve:
    """Lowest and highest value of each of many short stretches: nothing that stood out is lost."""

    def __init__(self, since: int, until: int) -> None:
        self.since, self.until = since, max(until, since + 1)
        self.low: list[float] = [math.inf] * BUCKETS
        self.high: list[float] = [-math.inf] * BUCKETS

    def add(self, at: int, value: object) -> None:
        """Take in a value; what is no number leaves no trace."""
        if isinstance(value, str) or not isinstance(value, int | float) or not math.isfinite(value):
            return
        place = (at - self.since) * BUCKETS // (self.until - self.since)
        if 0 <= place <= BUCKETS:
            i = min(place, BUCKETS - 1)
            self.low[i] = min(self.low[i], value)
            self.high[i] = max(self.high[i], value)

    def columns(self, many: int) -> Iterator[tuple[float, float] | None]:
        """Yield (lowest, highest) for each of `many` columns; None where nothing was read."""
        for i in range(many):
            part = slice(i * BUCKETS // many, max((i + 1) * BUCKETS // many, i * BUCKETS // many + 1))
            low, high = min(self.low[part]), max(self.high[part])
            yield None if low > high else (low, high)

    def place(self, at: int, many: int) -> int:
        """Return the column of a moment."""
        return min(max((at - self.since) * many // (self.until - self.since), 0), many - 1)

    @property
    def range(self) -> tuple[float, float] | None:
        """The lowest and the highest value of all."""
        low, high = min(self.low), max(self.high)
        return None if low > high else (low, high)


@dataclass(frozen=True, slots=True)
class Marks:
    """One set of rules: what it is called, its limits, and when it fired."""

    name: str
    limits: tuple[float, ...]
    times: Sequence[int]


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn."""

    title: str
    curve: Curve
    marks: tuple[Marks, ...]  # today's rules, then the proposed ones
    zone: tzinfo

    def scale(self) -> tuple[float, float]:
        """Return the lowest and the highest value on the axis: all values and all limits."""
        limits = [limit for marks in self.marks for limit in marks.limits]
        low, high = self.curve.range or (0.0, 1.0)
        low, high = min([low, *limits]), max([high, *limits])
        room = (high - low or abs(high) or 1.0) * 0.05
        return low - room, high + room

    def time(self, at: int) -> str:
        """Return a moment as people of the site write it."""
        return datetime.fromtimestamp(at / NANO, self.zone).strftime("%Y-%m-%d %H:%M")


def text(picture: Picture, columns: int, rows: int = 12) -> list[str]:
    """Return the lines of a plot `columns` wide: `#` values, `-` today's limits, `=` the proposed ones."""
    names = max([9, *(wcswidth(marks.name) for marks in picture.marks)])
    many = max(columns - names - 3, 20)
    low, high = picture.scale()
    span = (high - low) / rows
    cells = list(picture.curve.columns(many))
    lines = [picture.title]
    for row in range(rows - 1, -1, -1):
        bottom, top = low + row * span, low + (row + 1) * span
        empty = _limit_sign(picture.marks, bottom, top)
        shown = "".join(
            "#" if cell is not None and cell[0] < top and cell[1] >= bottom else empty for cell in cells
        )
        lines.append(f"{f'{(bottom + top) / 2:.5g}':>{names}} |{shown}".rstrip())
    lines.append(f"{'':{names}} +{'-' * many}")
    first, last = picture.time(picture.curve.since), picture.time(picture.curve.until)
    lines.append(f"{'':{names}}  {first}{last:>{max(many - len(first), len(last) + 1)}}")
    for marks in picture.marks:
        fired = {picture.curve.place(at, many) for at in marks.times}
        shown = "".join("^" if i in fired else " " for i in range(many))
        lines.append(f"{' ' * (names - wcswidth(marks.name))}{marks.name} |{shown}".rstrip())
    return lines


def _limit_sign(sets: Iterable[Marks], bottom: float, top: float) -> str:
    signs = [
        sign for sign, marks in zip("-=", sets, strict=False) if any(bottom <= x < top for x in marks.limits)
    ]
    return signs[0] if signs else " "


def svg(picture: Picture) -> str:
    """Return the picture as an SVG document."""
    low, high = picture.scale()
    bottom = HIGH - BOTTOM - LANE * len(picture.marks)

    def y(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - TOP)

    size = f'viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDE}" height="{HIGH}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{escape(picture.title)}</text>',
        f'<path d="M{LEFT} {TOP}V{bottom}H{WIDE - RIGHT}" fill="none" stroke="#555"/>',
    ]
    for value in ticks(low, high):
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDE - RIGHT}" stroke="#ddd"/>')
    parts.append(f'<path d="{_path(picture.curve, y)}" fill="none" stroke="#222" stroke-width="1"/>')
    for n, marks in enumerate(picture.marks):
        parts += _marks(picture, marks, n, bottom, [y(limit) for limit in marks.limits])
    edge = HIGH - 10
    parts += [
        f'<text x="{LEFT}" y="{edge}">{picture.time(picture.curve.since)}</text>',
        f'<text x="{WIDE - RIGHT}" y="{edge}" text-anchor="end">{picture.time(picture.curve.until)}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _path(curve: Curve, y: Callable[[float], float]) -> str:
    """Draw each stretch from its lowest to its highest value; a hole in the record is a hole in the curve."""
    wide, path, joined = WIDE - RIGHT - LEFT, [], False
    for i, cell in enumerate(curve.columns(wide)):
        if cell is not None:
            x = LEFT + i + 0.5
            path.append(f"{'L' if joined else 'M'}{x:g} {y(cell[0]):.1f}V{y(cell[1]) - 0.1:.1f}")
        joined = cell is not None
    return "".join(path)


def _marks(picture: Picture, marks: Marks, n: int, bottom: int, heights: Sequence[float]) -> Iterator[str]:
    colour, dash = COLOURS[n % 2], ("6 3", "2 3")[n % 2]
    for height in heights:
        yield (
            f'<path d="M{LEFT} {height:.1f}H{WIDE - RIGHT}" stroke="{colour}" stroke-dasharray="{dash}" '
            'stroke-width="1.5"/>'
        )
    lane = bottom + LANE * n + 14
    yield f'<text x="{LEFT - 6}" y="{lane}" text-anchor="end" fill="{colour}">{escape(marks.name)}</text>'
    wide = WIDE - RIGHT - LEFT
    for place in sorted({picture.curve.place(at, wide) for at in marks.times}):
        yield f'<path d="M{LEFT + place} {lane - 9}v10" stroke="{colour}" stroke-width="2"/>'


def ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Return round numbers between two values."""
    raw = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * n for n in (1, 2, 5, 10) if unit * n >= raw)
    first = math.ceil(low / step)
    return [round(n * step, 10) for n in range(first, math.floor(high / step) + 1)]
