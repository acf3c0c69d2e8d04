"""DNY boards: registered, beating, and telling the power of their ports; several over one connection."""

from __future__ import annotations

import pytest
from talk import fed, merged, moment, said

from drivers.conversation import Listeners
from drivers.dny.frame import Command, Frame, decode_frame, encode_frame
from drivers.dny.talk import Talk, check_item, physical_id

ONE, OTHER = 0x04CEAA40, 0x04CEAA41


def talk(*boards: int) -> Talk:
    return Talk(Listeners(dict.fromkeys(boards, 60.0)))


def frame(command: int, data: bytes, physical: int = ONE, message: int = 5) -> bytes:
    return encode_frame(Frame(physical, message, command, data))


REGISTER = bytes((100, 0, 10, 0, 4, 0))
HEARTBEAT = b"\xf2\x08\x02\x01\x09\x14\x5a"  # 229.0 V, port 1 charges, port 2 is welded, 25 °C
POWER = b"\x00\x01\x3c\x00\x05\x00\x01\x09\x06"  # port 1, 60 s, 0.05 kWh, 154.5 W


@pytest.mark.parametrize("size", [0, 1, 4])
def test_a_known_board_is_registered(size: int) -> None:
    conversation = talk(ONE)
    data = b"89860404101800139999link" + frame(Command.REGISTER, REGISTER)
    assert merged(fed(conversation, data, size=size).told) == {ONE: {"firmware": 100, "ports": 10}}
    (answer,) = said(conversation, 0)
    assert decode_frame(answer) == Frame(ONE, 5, Command.REGISTER, b"\x00")


def test_a_board_that_is_not_in_the_site_file_is_told_nothing() -> None:
    conversation = talk(ONE)
    assert [w.who for w in fed(conversation, frame(Command.REGISTER, REGISTER, OTHER)).told] == [OTHER]
    assert said(conversation, 0) == []


def test_several_boards_share_a_connection() -> None:
    told = merged(
        fed(
            talk(ONE, OTHER), frame(Command.HEARTBEAT, HEARTBEAT) + frame(Command.PORT_POWER, POWER, OTHER)
        ).told
    )
    assert (told[ONE]["voltage"], told[ONE]["signal"], told[ONE]["temperature"]) == (229.0, 20, 25.0)
    assert (told[ONE]["port.1.charging"], told[ONE]["port.2.state"], told[ONE]["port.2.power"]) == (
        True,
        9,
        0.0,
    )
    assert "port.1.power" not in told[ONE], "a beat does not say how much"
    assert (told[OTHER]["port.1.power"], told[OTHER]["port.1.energy"]) == (154.5, 0.05)


def test_a_long_message_of_a_port_tells_volts_and_amperes() -> None:
    data = POWER + bytes(6) + bytes(16) + bytes(4) + b"\xf2\x08" + b"\xa3\x02" + b"\x5a\x5f"
    items = merged(fed(talk(ONE), frame(Command.PORT_POWER, data)).told)[ONE]
    assert (items["voltage"], items["port.1.current"]) == (229.0, 0.675)
    assert (items["temperature"], items["port.1.temperature"]) == (25.0, 30.0)


def test_a_message_that_is_too_short_tells_nothing() -> None:
    conversation = talk(ONE)
    assert fed(conversation, frame(Command.HEARTBEAT, b"\xf2\x08\x05\x01")).told == ()
    assert conversation.unfit == 1


def test_the_time_is_told_when_it_is_known() -> None:
    conversation = talk(ONE)
    conversation.receive(frame(Command.DEVICE_TIME, b""), moment(0, synced=False))
    assert said(conversation, 0) == []
    conversation.receive(frame(Command.DEVICE_TIME, b""), moment(0))
    (answer,) = said(conversation, 0)
    assert int.from_bytes(decode_frame(answer).data, "little") == 1_790_000_000


def test_nothing_can_be_written() -> None:
    with pytest.raises(ValueError, match="only speaks"):
        talk(ONE).order(1, ONE, "port.1.charging", value=False, now=0.0)


def test_addresses_and_items_are_checked() -> None:
    assert [physical_id(a) for a in ("0x04CEAA40", ONE)] == [ONE, ONE]
    with pytest.raises(ValueError, match="physical id"):
        physical_id("no number")
    assert check_item("port.2.power") == ""
    assert check_item("smoke")
