"""Where `struct` finds the raw numbers of a block, whatever their order of bytes and words. Pure, no I/O."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from drivers.codec.scale import FORMATS
from drivers.registers import PointType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Point


class Place(NamedTuple):
    """Where and how `struct` finds the raw number of a point."""

    swapped: bool  # read from the copy with swapped bytes
    little: bool
    offset: int
    format: str
    size: int


class Layer(NamedTuple):
    """One pass of `struct` over one of the two buffers."""

    swapped: bool
    struct: Struct


def place(point: Point, start: int) -> Place:
    """Say where the raw number is: every order is one of two ends on one of two buffers."""
    offset = 2 * (point.address - start)
    swaps, little = point.order.swaps_bytes, point.order.swaps_words
    if point.type is PointType.STRING:
        return Place(swaps, little=False, offset=offset, format=f"{2 * point.length}s", size=2 * point.length)
    form = FORMATS[point.type]
    if form in "bB":
        return Place(swaps, little=False, offset=offset + (point.half == "low"), format=form, size=1)
    size = 2 * point.count
    if size == 2:
        little = False
    # CDAB with its bytes swapped is DCBA, which is little-endian; BADC with its bytes swapped is ABCD
    return Place(swaps != little, little, offset, form, size)


def layers(places: Mapping[str, Place], size: int) -> tuple[list[Layer], dict[Place, int]]:
    """Spread the places over as few `struct` formats as possible; say at which index each comes out."""
    wanted = sorted(set(places.values()))
    layers: list[tuple[Place, list[Place]]] = []
    for place in wanted:  # sorted by buffer, end and offset, so the first layer with room is the right one
        for head, members in layers:
            last = members[-1]
            if head[:2] == place[:2] and last.offset + last.size <= place.offset:
                members.append(place)
                break
        else:
            layers.append((place, [place]))
    index: dict[Place, int] = {}
    made = []
    for head, members in layers:
        form, at = "<" if head.little else ">", 0
        for place in members:
            index[place] = len(index)
            form += f"{place.offset - at}x{place.format}"
            at = place.offset + place.size
        made.append(Layer(head.swapped, Struct(f"{form}{size - at}x")))
    return made, index
