"""Captures: frames of a device model with the values that are true for them. Decodes them as a driver would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pymodbus.framer.rtu import FramerRTU
from spoken import SPOKEN

from drivers.items import compile_items
from drivers.points import compile_block, compile_finish
from drivers.registers import Table

if TYPE_CHECKING:
    from spoken import Spoken

    from drivers.profile import Profile

TABLES = {1: Table.COIL, 2: Table.DISCRETE, 3: Table.HOLDING, 4: Table.INPUT}


def checked(frame: str) -> bytes:
    """Return the frame without its checksum, which must be right."""
    data = bytes.fromhex(frame)
    assert FramerRTU.compute_CRC(data[:-2]) == int.from_bytes(data[-2:], "big"), f"CRC of {frame}"
    return data[:-2]


def replay(profile: Profile, capture: dict[str, Any]) -> set[str]:
    """Decode every exchange and compare with what is written beside it; return the points that had a value."""
    assert capture["source"]
    if profile.protocol in SPOKEN:
        return replay_spoken(profile, capture, SPOKEN[profile.protocol])
    finish = compile_finish(profile)
    seen: set[str] = set()
    for exchange in capture["exchanges"]:
        request, answer = checked(exchange["request"]), checked(exchange["answer"])
        table = TABLES[request[1]]
        start, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
        assert answer[:2] == request[:2]
        assert answer[2] == len(answer) - 3
        points = {
            name: point
            for name, point in profile.points.items()
            if point.readable
            and point.table is table
            and start <= point.address <= start + count - point.count
        }
        values, bad = compile_block(points, start, count, table).decode(answer[3:])
        if finish is not None:
            finish(values, bad)
        seen |= compared(exchange, values, bad)
    return seen


def replay_spoken(profile: Profile, capture: dict[str, Any], spoken: Spoken) -> set[str]:
    """The same for a protocol without registers: points whose items an answer carries must have true values."""
    seen: set[str] = set()
    asks = spoken.asks(profile)
    for exchange in capture["exchanges"]:
        assert spoken.asked(bytes.fromhex(exchange["request"])) in asks, "the driver asks so too"
        carried = spoken.carried(bytes.fromhex(exchange["answer"]), profile)
        told = [
            name
            for name in profile.reported
            if all(profile.points[n].item in carried for n in profile.needs((name,)))
        ]
        seen |= compared(exchange, *compile_items(profile, told).values(carried))
    return seen


def compared(exchange: dict[str, Any], values: dict[str, Any], bad: dict[str, Any]) -> set[str]:
    """Compare what was decoded with what is written beside the frames; return the points that had a value."""
    wanted: dict[str, Any] = exchange.get("values", {})
    assert values.keys() == wanted.keys()
    assert dict(bad) == exchange.get("bad", {})
    for name, value in wanted.items():
        if isinstance(value, float):
            assert values[name] == pytest.approx(value, rel=1e-6, abs=6e-4), name
        else:
            assert (values[name], type(values[name])) == (value, type(value)), name
    return set(wanted)
