"""How text and tables are laid out for a terminal: nothing wider than it is, no name and no time cut.

Widths are columns of a terminal, where a Chinese character has two and a colour has none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GAP = "  "  # between two cells
INDENT = 2  # of what continues a row
NARROWEST = 20  # columns that a wrapped column keeps: a time of day with its date has 19, and stays whole

_SGR = re.compile(r"\x1b\[[0-9;]*m")
_PIECES = re.compile(r"\x1b\[[0-9;]*m|.", re.DOTALL)
_WIDE = r"\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
_OPENS, _CLOSES = (
    "（【《「",
    "，。；：！？）】》」、",
)  # no line ends with the first, or begins with the second
# A line may be broken at spaces, and between any two Chinese characters.
_WORDS = re.compile(f" +|[{_OPENS}]*[{_WIDE}][{_CLOSES}]*|[^ {_WIDE}]+[{_CLOSES}]*")


def width(text: str) -> int:
    """Return how many columns a terminal gives the text; colours take none."""
    if not text:
        return 0
    from wcwidth import wcswidth  # noqa: PLC0415 - the daemon prints no tables

    return max(wcswidth(_SGR.sub("", text)), 0)


def pad(text: str, columns: int) -> str:
    """Return the text filled with spaces to `columns`."""
    return text + " " * (columns - width(text))


def clip(text: str, columns: int) -> str:
    """Return the text cut to so many columns of a terminal, with … where something is missing.

    Colours take no room and are not cut in two; after a cut they are switched off.
    """
    if width(text) <= columns:
        return text
    return _head(text, columns - 1) + "…" + ("\x1b[0m" if "\x1b" in text else "")


def _head(text: str, columns: int) -> str:
    """Return as much of the beginning as fits."""
    parts = []
    for piece in _PIECES.findall(text):
        columns -= 0 if piece.startswith("\x1b") else width(piece)
        if columns < 0:
            break
        parts.append(piece)
    return "".join(parts)


def fit(widths: Sequence[int], columns: int, least: int = 8) -> list[int]:
    """Return the widths of columns, the widest taken back until a row fits; never below `least`."""
    widths = list(widths)
    while sum(widths) + 2 * (len(widths) - 1) > columns and max(widths) > least:
        widths[widths.index(max(widths))] -= 1
    return widths


def fold(text: str, columns: int, indent: int = 0) -> list[str]:
    """Return the text in lines of at most `columns`, the further ones indented.

    It is broken at spaces and between Chinese characters; a word only when no line could hold it.
    """
    lines, gap = [""], ""
    for piece in _pieces(text, columns - indent):
        if piece.isspace():
            gap = piece
        elif not lines[-1] or width(lines[-1] + gap + piece) <= columns:
            lines[-1] += gap + piece
            gap = ""
        else:
            lines.append(" " * indent + piece)
            gap = ""
    return lines


def _pieces(text: str, columns: int) -> Iterator[str]:
    """Yield words and the spaces between them; a word too long for a line comes in parts."""
    for word in _WORDS.findall(text):
        while width(word) > columns > 1:
            part = _head(word, columns)
            yield part
            word = word[len(part) :]  # noqa: PLW2901 - what is left of it
        yield word


def longest(text: str) -> int:
    """Return the columns of its longest word: no column can be narrower and hold it whole."""
    return max(map(width, _WORDS.findall(text)), default=0)


def table(rows: Sequence[Sequence[str]], columns: int | None, spare: Sequence[int] = ()) -> Iterator[str]:
    """Yield the lines of a table, its head first; `columns`: of the terminal, None for no end of them.

    What does not fit loses its `spare` columns, in this order; then long texts are wrapped in their column;
    then a row takes several lines, with all its cells: in columns what fits, the rest indented below.
    """
    places = range(len(rows[0]))
    widths = [max(width(row[i]) for row in rows) for i in places]
    shown, cut = list(places), widths
    if columns is not None:
        for place in spare:
            if _sum(widths, shown) > columns:
                shown.remove(place)
        cut = fit([widths[i] for i in shown], columns, NARROWEST)
        whole = all(
            longest(row[i]) <= new
            for row in rows
            for i, new in zip(shown, cut, strict=True)
            if new < widths[i]
        )
        if not whole or _sum(cut, range(len(cut))) > columns:
            yield from _stacked(rows, widths, columns)
            return
    for row in rows:
        yield from _wrapped([row[i] for i in shown], cut)


def _sum(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[i] for i in shown) + len(GAP) * (len(shown) - 1)


def _wrapped(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    cells = [[cell] if width(cell) <= w else fold(cell, w) for cell, w in zip(row, widths, strict=True)]
    for n in range(max(map(len, cells))):
        parts = (pad(cell[n] if n < len(cell) else "", w) for cell, w in zip(cells, widths, strict=True))
        yield GAP.join(parts).rstrip()


def _stacked(rows: Sequence[Sequence[str]], widths: Sequence[int], columns: int) -> Iterator[str]:
    keys = next(k for k in range(len(widths), -1, -1) if k == 0 or _sum(widths[:k], range(k)) <= columns)
    below = widths[keys:]
    aligned = _sum(below, range(len(below))) <= columns - INDENT
    for row in rows:
        if keys:
            yield from _wrapped(row[:keys], widths[:keys])
        if aligned:
            yield " " * INDENT + next(_wrapped(row[keys:], below))
        else:
            yield from _flow([cell for cell in row[keys:] if cell], columns)


def _flow(cells: Sequence[str], columns: int) -> list[str]:
    """Return cells one after the other, indented; each stays in one line if a line can hold it."""
    lines: list[str] = []
    for cell in cells:
        if lines and width(lines[-1] + GAP + cell) <= columns:
            lines[-1] += GAP + cell
        else:
            lines += [" " * INDENT + part for part in fold(cell, columns - INDENT)]
    return lines
