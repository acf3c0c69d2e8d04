"""The order 1CH of DL/T 645-2007: switch the meter's relay, its alarm, its power keeping. Codec only. Pure.

Nothing here decides whether an order may be sent. Meters of State Grid want it encrypted (ESAM) and refuse
this plain form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from drivers.cutter import Step
from drivers.dlt645.frame import RELAY, Dlt645Error, Frame, encode_frame
from drivers.stamp import Stamp, stamp_from_bcd, stamp_to_bcd

_SIZE: Final = 16


class Relay(IntEnum):
    """What to do (N1)."""

    TRIP = 0x1A
    PERMIT_CLOSE = 0x1B
    CLOSE = 0x1C
    ALARM = 0x2A
    ALARM_OFF = 0x2B
    KEEP = 0x3A
    KEEP_OFF = 0x3B


@dataclass(frozen=True, slots=True)
class RelayOrder:
    """One order. The password is kept out of what gets printed."""

    relay: Relay
    expires: Stamp  # the meter's local time
    level: int = 0  # PA
    password: bytes = field(default=bytes(3), repr=False)  # P0 P1 P2
    operator: bytes = bytes(4)  # C0 to C3


def encode_relay_order(address: str, order: RelayOrder, preamble: int = 4) -> bytes:
    """Return the frame. Raises Dlt645Error, also for wildcard and broadcast: one meter only."""
    if not address.isdecimal() or address == "9" * 12:
        raise Dlt645Error(Step.SANITY, f"an order goes to one meter, not to {address!r}")
    if len(order.password) != 3 or len(order.operator) != 4:
        raise Dlt645Error(Step.LENGTH, "a password has 3 bytes, an operator 4")
    if order.expires.iso() is None:
        raise Dlt645Error(Step.SANITY, f"there is no time {order.expires}")
    data = bytes([order.level]) + order.password + order.operator + bytes([order.relay, 0])
    return encode_frame(Frame(address, RELAY, data + stamp_to_bcd(order.expires)[::-1]), preamble)


def decode_relay_order(frame: Frame) -> RelayOrder:
    """Return the order a frame carries. Raises Dlt645Error."""
    data = frame.data
    if frame.control != RELAY or len(data) != _SIZE:
        raise Dlt645Error(Step.SANITY, f"no relay order: control {frame.control:02X}, {len(data)} bytes")
    expires = stamp_from_bcd(data[:9:-1])
    if data[8] not in set(Relay) or expires is None:
        raise Dlt645Error(Step.SANITY, f"no relay order: {data[8:].hex(' ')}")
    return RelayOrder(Relay(data[8]), expires, data[0], data[1:4], data[4:8])
