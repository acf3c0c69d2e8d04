"""The application data unit of GB/T 26875.3-2011: type, count, objects (chapter 8). Pure.

One table says how the objects of every type are laid out; reading and writing both follow it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from drivers.cutter import Step
from drivers.gb26875.frame import Gb26875Error, decode_time, encode_time
from drivers.stamp import Stamp

NOTE_SIZE: Final = 31
CHARSET: Final = "gb18030"
_LENGTH_FIRST: Final = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a unit: the fields its type has, None for the others. Numbers are raw."""

    system_type: int | None = None
    system_address: int | None = None
    part_type: int | None = None
    part_address: bytes | None = None  # 4: zone and position, each low byte first
    analog_type: int | None = None
    state: int | None = None  # bits
    value: int | None = None  # in the unit of its analog type
    flags: int | None = None  # bits
    operator: int | None = None
    major: int | None = None
    minor: int | None = None
    count: int | None = None
    minutes: int | None = None
    reserved: int | None = None
    note: bytes | None = None  # GB18030, padded with NUL or spaces
    time: Stamp | None = None


class Field(NamedTuple):
    """One field of an object."""

    name: str
    size: int


class Layout(NamedTuple):
    """The objects of one type, and how many of them fit into a unit."""

    fields: tuple[Field, ...]
    most: int

    @property
    def size(self) -> int:
        """Bytes of one object; at least that much where a text is in it."""
        return sum(f.size or 1 for f in self.fields)


_TIME: Final = Field("time", 6)
_SYSTEM: Final = (Field("system_type", 1), Field("system_address", 1))
_PLACE: Final = (*_SYSTEM, Field("part_address", 4))  # when asking, the part type is left out
_PART: Final = (*_SYSTEM, Field("part_type", 1), Field("part_address", 4))
_DEED: Final = (Field("flags", 1), Field("operator", 1))
_VERSION: Final = (Field("major", 1), Field("minor", 1))
_NOTE: Final = Field("note", NOTE_SIZE)
_TEXT: Final = Field("note", _LENGTH_FIRST)
_NOTHING: Final = (Field("reserved", 1),)
_STATE: Final = Field("state", 2)
LAYOUTS: Final[dict[int, Layout]] = {
    1: Layout((*_SYSTEM, _STATE, _TIME), 102),
    2: Layout((*_PART, _STATE, _NOTE, _TIME), 22),
    3: Layout((*_PART, Field("analog_type", 1), Field("value", 2), _TIME), 63),
    4: Layout((*_SYSTEM, *_DEED, _TIME), 102),
    5: Layout((*_SYSTEM, *_VERSION), 1),
    6: Layout((*_SYSTEM, _TEXT), 3),
    7: Layout((*_PART, _NOTE), 26),
    8: Layout((*_SYSTEM, _TIME), 1),
    21: Layout((Field("state", 1), _TIME), 1),
    24: Layout((*_DEED, _TIME), 127),
    25: Layout(_VERSION, 1),
    26: Layout((_TEXT,), 1),
    28: Layout((_TIME,), 1),
    61: Layout(_SYSTEM, 102),
    62: Layout(_PLACE, 22),
    63: Layout(_PLACE, 63),
    64: Layout((*_SYSTEM, Field("count", 1), _TIME), 1),
    65: Layout(_SYSTEM, 1),
    66: Layout(_SYSTEM, 3),
    67: Layout(_PLACE, 26),
    68: Layout(_SYSTEM, 1),
    81: Layout(_NOTHING, 1),
    84: Layout((Field("count", 1), _TIME), 1),
    85: Layout(_NOTHING, 1),
    86: Layout(_NOTHING, 1),
    88: Layout(_NOTHING, 1),
    89: Layout(_NOTHING, 1),
    90: Layout((_TIME,), 1),
    91: Layout((Field("minutes", 1),), 1),  # reserved in the standard; the field puts minutes there
}


@dataclass(frozen=True, slots=True)
class Unit:
    """One application data unit. Objects of a type without layout (reserved, user's) stay bytes in `raw`."""

    type: int
    items: tuple[Item, ...] = ()
    raw: bytes = b""
    count: int = 0  # of the objects in `raw`


def decode_unit(data: bytes) -> Unit:
    """Return what a frame's data say. Raises Gb26875Error."""
    if len(data) < 2:
        raise Gb26875Error(Step.LENGTH, f"a unit has at least 2 bytes, these are {len(data)}")
    kind, count = data[0], data[1]
    layout = LAYOUTS.get(kind)
    if layout is None:
        return Unit(kind, (), data[2:], count)
    items: list[Item] = []
    at = 2
    for _ in range(count):
        item, at = _decode_item(layout, data, at)
        items.append(item)
    if at != len(data):
        what = f"{count} objects of type {kind} end at {at}, there are {len(data)} bytes"
        raise Gb26875Error(Step.LENGTH, what)
    return Unit(kind, tuple(items))


def encode_unit(unit: Unit) -> bytes:
    """Return the bytes of a unit. Raises Gb26875Error for too many objects and for missing fields."""
    layout = LAYOUTS.get(unit.type)
    if layout is None:
        return bytes([unit.type, unit.count]) + unit.raw
    if len(unit.items) > layout.most:
        what = f"{len(unit.items)} objects of type {unit.type}, at most {layout.most} are allowed"
        raise Gb26875Error(Step.LENGTH, what)
    body = b"".join(_encode_field(item, field) for item in unit.items for field in layout.fields)
    return bytes([unit.type, len(unit.items)]) + body


def _decode_item(layout: Layout, data: bytes, at: int) -> tuple[Item, int]:
    found: dict[str, int | bytes | Stamp] = {}
    for name, size in layout.fields:
        start, width = at, size
        if size == _LENGTH_FIRST and at < len(data):
            start, width = at + 1, data[at]
        piece = data[start : start + width]
        if len(piece) < width or start > len(data) or (size == _LENGTH_FIRST and at >= len(data)):
            raise Gb26875Error(Step.LENGTH, f"{name} wants {width or 1} bytes at {at} of {len(data)}")
        at = start + width
        if name == "time":
            found[name] = decode_time(piece)
        elif name in {"note", "part_address"}:
            found[name] = piece
        else:
            found[name] = int.from_bytes(piece, "little", signed=name == "value")
    return Item(**found), at  # type: ignore[arg-type]  # the table gives each field its kind


def _encode_field(item: Item, field: Field) -> bytes:
    content = getattr(item, field.name)
    if content is None:
        raise Gb26875Error(Step.SANITY, f"{field.name} is missing in {item}")
    if isinstance(content, Stamp):
        return encode_time(content)
    if isinstance(content, bytes):
        if len(content) > 0xFF or (field.size and len(content) != field.size):
            raise Gb26875Error(Step.LENGTH, f"{field.name} has {len(content)} bytes, {field.size or 255} fit")
        return content if field.size else bytes([len(content)]) + content
    try:
        return int(content).to_bytes(field.size, "little", signed=field.name == "value")
    except OverflowError as error:
        raise Gb26875Error(Step.SANITY, f"{field.name} {content} does not fit") from error


def note(text: str, size: int = NOTE_SIZE) -> bytes:
    """Return a text for people as the standard wants it, cut between characters where it is too long."""
    data = b""
    for character in text:
        piece = character.encode(CHARSET, "replace")
        if len(data) + len(piece) > size:
            break
        data += piece
    return data.ljust(size, b"\0")


def note_text(data: bytes) -> str:
    """Return the text of a note, whatever it was padded with; what cannot be read is shown as such."""
    return data.decode(CHARSET, "replace").rstrip("\0 ")
