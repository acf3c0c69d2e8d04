"""Captures: frames of a device model with the values that are true for them. Decodes them as a driver would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pymodbus.framer.rtu import FramerRTU
from spoken import SPOKEN
from talk import moment

from drivers.conversation import Listeners
from drivers.heard import HeardDevice
from drivers.items import compile_items
from drivers.line.settings import LineSettings
from drivers.points import compile_block, compile_finish
from drivers.registers import Table
from drivers.registry import PROTOCOLS, make_line

if TYPE_CHECKING:
    from spoken import Spoken

    from drivers.profile import Profile

TABLES = {1: Table.COIL, 2: Table.DISCRETE, 3: Table.HOLDING, 4: Table.INPUT}


def checked(frame: str) -> bytes:
    """Return the frame without its checksum, which must be right."""
    data = bytes.fromhex(frame)
    assert FramerRTU.compute_CRC(data[:-2]) == int.from_bytes(data[-2:], "big"), f"CRC of {frame}"
    return data[:-2]


def overheard(profile: Profile, capture: dict[str, Any]) -> set[str]:
    """Let a conversation hear what a device says by itself and compare; return the points that had a value.

    `times`: so often in a row, for streams whose frames are not believed alone.
    """
    assert capture["source"]
    entry = PROTOCOLS[capture.get("line", profile.protocol)]
    assert entry.talk is not None
    who = entry.address(capture["address"])
    talk = entry.talk(Listeners({who: 1.0}))
    device = entry.device(
        "captured",
        profile,
        who,
        make_line(LineSettings("l", capture.get("line", profile.protocol), tcp="h:1")),
    )
    assert isinstance(device, HeardDevice)
    seen: set[str] = set()
    for number, each in enumerate(capture["heard"]):
        heard = talk.receive(bytes.fromhex(each["frames"]) * each.get("times", 1), moment(10.0 * number))
        told = (*heard.told, *talk.tick(moment(10.0 * number + 5.0)).told)
        carried = {item: raw for word in told if word.who in {who, None} for item, raw in word.items.items()}
        values, bad = device.understand(carried)
        wanted = each.get("values", {})
        assert values.keys() == wanted.keys()
        assert dict(bad) == each.get("bad", {})
        for name, value in wanted.items():
            same = pytest.approx(value, rel=1e-6, abs=6e-4) if isinstance(value, float) else value
            assert values[name] == same, name
        seen |= wanted.keys()
    return seen


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
