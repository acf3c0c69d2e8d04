"""What was found, as rows of the ledger: names that are free, and a file that is only ever added to."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.survey.talk import Tongue
from gateway.config.ledger import COLUMNS, decode, separator
from gateway.language import language

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from drivers.survey.found import Found
    from drivers.survey.talk import Setting

SHORT: Final = {
    "charging_pile": "pile",
    "electrical_fire": "efd",
    "manhole": "cover",
    "water_level": "level",
    "street_light": "light",
}
HEAD: Final = ("name", "profile", "line", "address", "every", "place")
BELIEVED: Final = 0.3  # a profile with less is not written into the ledger
NO_ADDRESS: Final = frozenset({Tongue.WITMOTION})  # a line has one such device, and its address is 1


@dataclass(frozen=True, slots=True)
class Row:
    """One device for the ledger."""

    name: str
    profile: str
    line: str
    address: str
    every: str = ""
    place: str = ""


def row_for(found: Found, line: str, taken: Collection[str], profile: str | None = None) -> Row | None:
    """Return the row of somebody found, of this profile or the likeliest; None when nobody knows it."""
    if profile is None:
        if not found.matches or found.matches[0].share < BELIEVED:
            return None
        profile = found.matches[0].profile
    kind = profile.partition("/")[0]
    tail = found.who[-6:].lower() or "1"
    stem = f"{SHORT.get(kind, kind)}-{tail}".replace("_", "-")
    return Row(free_name(stem, taken), profile, line, "1" if found.tongue in NO_ADDRESS else found.who)


def free_name(stem: str, taken: Collection[str]) -> str:
    """Return the name, with a number behind it when it is taken."""
    number, name = 1, stem
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def common(found: Sequence[Found]) -> Setting | None:
    """Return the setting at which most of them were found: a line can have one only."""
    settings = [each.setting for each in found]
    return max(settings, key=settings.count) if settings else None


def add_rows(path: Path, rows: Sequence[Row], remarks: Sequence[str] = ()) -> list[Row]:
    """Add the rows that are not there yet to a ledger, and return them. Raises OSError, ValueError.

    The file keeps its columns, its separator and its encoding; it is replaced as a whole or not at all.
    """
    raw = path.read_bytes() if path.exists() else b""
    text = decode(raw) if raw else ""
    if text is None:
        raise ValueError(f"{path} is no text; save the sheet as CSV")
    titles = _titles(text)
    sep = separator(next((line for line in text.splitlines() if line.strip()), ",")) if text.strip() else ","
    fresh = [row for row in rows if not _has(text, titles, sep, row)]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=sep, lineterminator="\r\n" if "\r\n" in text else "\n")
    if not titles:
        titles = [COLUMNS[name][1][0] if language() == "zh" else name for name in HEAD]
        writer.writerow(titles)
    for remark in remarks:
        out.write(f"# {remark.replace(sep, ' ')}\n")
    for row in fresh:
        writer.writerow([_cell(row, title) for title in titles])
    glue = "" if not text or text.endswith("\n") else "\n"
    replace_file(path, (text + glue + out.getvalue()).encode(_encoding(raw), "strict"))
    return fresh


def _titles(text: str) -> list[str]:
    first = next((s for s in text.splitlines() if s.strip() and not s.startswith(("#", "sep="))), "")
    return (
        [cell.strip() for cell in next(csv.reader([first], delimiter=separator(first)), [])] if first else []
    )


def _field(title: str) -> str:
    word = title.strip().lower()
    return next((name for name, (_, others) in COLUMNS.items() if word in {name, *others}), "")


def _cell(row: Row, title: str) -> str:
    return str(getattr(row, _field(title), "")) if _field(title) in HEAD else ""


def _has(text: str, titles: Sequence[str], sep: str, row: Row) -> bool:
    """Whether a device with this line and address stands in the ledger, or one with this name."""
    fields = [_field(title) for title in titles]
    for cells in csv.reader(io.StringIO(text), delimiter=sep):
        known = dict(zip(fields, (cell.strip() for cell in cells), strict=False))
        if known.get("name") == row.name:
            return True
        if row.address and (known.get("line"), known.get("address")) == (row.line, row.address):
            return True
    return False


def _encoding(raw: bytes) -> str:
    if raw.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def replace_file(path: Path, data: bytes) -> None:
    """Put a whole file in the place of another, so that a cut leaves the old one or the new one."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
