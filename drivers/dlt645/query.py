"""Requests to DL/T 645 meters, ready to be sent, and what their answers will look like. Pure.

The answer of a meter names its address, its function and, for readings, the data identifier. As a PDU (see
`drivers.line.dialect`) it is put so that all the request foretells stands in front:

    reading    control, identifier (2 or 4 bytes, as on the wire), more, data
    follow-up  control, identifier, sequence number (2007 edition), more, data
    order      control, data
    refusal    control, error byte

`control` is without its bit "more frames follow", which stands as a byte of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.dlt645 import frame as wire
from drivers.dlt645.frame import Edition, Frame, encode_frame
from drivers.dlt645.identifiers import is_block, quantity
from drivers.dlt645.relay import encode_relay_order

if TYPE_CHECKING:
    from drivers.dlt645.relay import RelayOrder

WAKE_UP: Final = 4  # bytes FE before a request (2007 edition, 5.2.1); meters answer with 0 to 4
OVERHEAD: Final = 12  # bytes of a frame without data and wake-up bytes
READS: Final = frozenset({wire.READ, wire.READ_1997})
FOLLOW_UPS: Final = frozenset({wire.NEXT, wire.NEXT_1997})


@dataclass(frozen=True, slots=True)
class Query:
    """One request to one meter."""

    unit: str  # 12 digits, or with AA pairs in front
    frame: bytes  # as it goes out, wake-up bytes included
    shape: bytes
    size: int  # bytes of a good answer's frame, the least where the request does not tell
    what: str  # for people
    answer: int | None = None  # the request never foretells it for sure: meters differ in the widths of items

    @property
    def refusal(self) -> bytes:
        """The first byte of a refusal of it."""
        return bytes((self.shape[0] | 0x40,))

    def __str__(self) -> str:
        return f"meter {self.unit} {self.what}"


def width(edition: Edition) -> int:
    """Return the bytes of a data identifier."""
    return 2 if edition is Edition.Y1997 else 4


def spell(di: int, edition: Edition) -> str:
    """Return a data identifier as people write it."""
    return f"{di:0{2 * width(edition)}X}"


def read(address: str, di: int, edition: Edition = Edition.Y2007) -> Query:
    """Return the request for one item or one block."""
    function = wire.READ_1997 if edition is Edition.Y1997 else wire.READ
    name = di.to_bytes(width(edition), "little")
    how = quantity(di, edition)
    least = 0 if how is None or is_block(di, edition) else how.size
    return _seal(address, function, name, name, OVERHEAD + len(name) + least, spell(di, edition))


def read_next(address: str, di: int, number: int, edition: Edition = Edition.Y2007) -> Query:
    """Return the request for the `number`-th follow-up frame, from 1; the 1997 edition does not count."""
    name = di.to_bytes(width(edition), "little")
    what = f"{spell(di, edition)} frame {number}"
    if edition is Edition.Y1997:
        return _seal(address, wire.NEXT_1997, name, name, OVERHEAD + len(name), what)
    counted = name + bytes((number,))
    return _seal(address, wire.NEXT, counted, counted, OVERHEAD + len(counted), what)


def relay(address: str, order: RelayOrder) -> Query:
    """Return the order to the relay of one meter. Raises Dlt645Error."""
    frame = encode_relay_order(address, order, WAKE_UP)
    return Query(address, frame, bytes((wire.RELAY | 0x80,)), OVERHEAD, f"relay {order.relay.name.lower()}")


def pdu_of(frame: Frame) -> bytes:
    """Return what a frame says, in the order described above."""
    control, data = frame.control & ~0x20, frame.data
    if frame.refused:
        return bytes((control, frame.error or 0))
    size = width(frame.edition)
    counted = frame.function == wire.NEXT
    if not frame.reply or frame.function not in READS | FOLLOW_UPS or len(data) < size + counted:
        return bytes((control,)) + data
    head, rest = data[:size], data[size:]
    if counted:
        head, rest = head + rest[-1:], rest[:-1]
    return bytes((control,)) + head + bytes((frame.more,)) + rest


def _seal(address: str, function: int, data: bytes, head: bytes, size: int, what: str) -> Query:
    frame = encode_frame(Frame(address, function, data), WAKE_UP)
    return Query(address, frame, bytes((function | 0x80,)) + head, size, what)
