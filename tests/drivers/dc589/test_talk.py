"""A charging board's conversation: registered, answered, stopped, and what it tells."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest
from talk import fed, merged, moment, said

from drivers.conversation import Listeners
from drivers.dc589.fields import FIELDS, decode_fields, encode_fields
from drivers.dc589.frame import Frame, decode_frame, encode_frame
from drivers.dc589.items import board_id, check_item
from drivers.dc589.talk import PATIENCE, PAUSE, Talk
from drivers.errors import NoAnswer, Refused

BOARD = "5348111111111111"
A4 = bytes.fromhex(
    "EE 40 A4 00 00 00 00 00 00 53 48 11 11 11 11 11 11 08 64 60 60 66 44 95 79 15 00 95 00 4A 14 00 00 00 00 00 00 00"
    "00 00 00 00 00 00 00 01 00 00 00 00 00 01 0F CE 00 34 21 00 08 00 00 45 00 0F 05 10"
)  # published by the vendor: 20 ports, port 15 at 129.5 W
ZONE = timezone(timedelta(hours=8))


def talk(*boards: str, ask: float | None = None) -> Talk:
    known = boards or (BOARD,)
    return Talk(Listeners(dict.fromkeys(known, 60.0), ZONE, {} if ask is None else dict.fromkeys(known, ask)))


def frame(command: int, session: bytes = bytes(6), **values: Any) -> bytes:
    return encode_frame(Frame(command, encode_fields(FIELDS[command], values), session))


def answers(conversation: Talk, at: float = 0.0) -> list[Frame]:
    return [decode_frame(data) for data in said(conversation, at)]


@pytest.mark.parametrize("size", [0, 1, 7])
def test_the_published_heartbeat_is_told_and_answered(size: int) -> None:
    conversation = talk()
    items = merged(fed(conversation, A4, size=size).told)[BOARD]
    assert items["port.15.power"] == 129.5
    assert (items["port.15.energy"], items["port.15.elapsed"]) == (0.069, 33 * 60 + 8)
    assert (items["port.15.charging"], items["port.14.charging"]) == (True, False)
    assert (items["port.14.power"], items["ports"], items["voltage"], items["signal"]) == (0.0, 20, 149.0, 21)
    assert (items["smoke"], items["hot"], items["fault"]) == (False, False, 0)
    assert [(a.command, a.data) for a in answers(conversation)] == [(0xA5, b"\x01")]


def test_a_board_that_registers_is_told_the_time_of_its_zone() -> None:
    conversation = talk()
    told = fed(conversation, frame(0xA0, board=BOARD, hardware="SH10HA01", signal=17)).told
    assert merged(told)[BOARD] == {"signal": 17, "ports": 10}
    (answer,) = answers(conversation)
    assert answer.command == 0xA1
    assert decode_fields(FIELDS[0xA1], answer.data)["time"].iso() == "2026-09-21T22:13:20"


def test_a_board_that_is_not_in_the_site_file_is_told_nothing() -> None:
    conversation = talk("5348111111111112")
    told = fed(conversation, frame(0xA0, board=BOARD, hardware="SH10HA01") + A4).told
    assert {word.who for word in told} == {BOARD}
    assert answers(conversation) == []


def test_a_brief_beat_is_followed_by_a_question() -> None:
    conversation = talk()
    fed(conversation, frame(0xA4, board=BOARD, signal=9))
    assert [a.command for a in answers(conversation)] == [0xA5, 0xB0]


def test_a_site_that_wants_it_sooner_asks_between_beats() -> None:
    conversation = talk(ask=5.0)
    fed(conversation, A4)
    answers(conversation)
    assert conversation.next_deadline() == 5.0
    conversation.tick(moment(5.0))
    assert [a.command for a in answers(conversation, 5.0)] == [0xB0]
    assert conversation.next_deadline() == 10.0


@pytest.mark.parametrize(
    ("port", "fault", "wanted"),
    [
        (0xFF, 0xBB, {"smoke": True, "fault": 0xBB}),
        (0xFF, 0xAA, {"hot": True, "fault": 0xAA}),
        (1, 4, {"port.1.state": 4, "port.1.charging": False, "fault": 4}),
        (1, 0x77, {"fault": 0x77}),  # nobody knows it: never dropped
    ],
)
def test_a_fault_is_told_at_once_and_answered(port: int, fault: int, wanted: dict[str, Any]) -> None:
    conversation = talk()
    fed(conversation, A4)
    answers(conversation)
    items = merged(fed(conversation, frame(0xC0, port=port, fault=fault, temperature=41, voltage=230)).told)[
        BOARD
    ]
    assert items == {**wanted, "temperature": 41.0, "voltage": 230.0}
    assert [(a.command, a.data) for a in answers(conversation, 1)] == [(0xC1, bytes((0, port)))]


def test_the_end_of_an_order_is_told_and_answered() -> None:
    conversation = talk()
    fed(conversation, A4)
    answers(conversation)
    end = frame(0xBB, flag=1, port=5, elapsed_minutes=30, energy=0.4, reason=9, power=120)
    items = merged(fed(conversation, end).told)[BOARD]
    assert (items["port.5.charging"], items["port.5.power"], items["port.5.reason"]) == (False, 0.0, 9)
    assert (items["port.5.energy"], items["port.5.elapsed"]) == (0.4, 1800)
    assert [(a.command, a.data) for a in answers(conversation, 1)] == [(0xBC, bytes((0, 5)))]


def test_what_comes_before_anybody_said_his_name_is_told_of_nobody() -> None:
    assert fed(talk(), frame(0xC0, port=1, fault=4)).told == ()


def ready() -> Talk:
    conversation = talk()
    fed(conversation, A4)
    answers(conversation)
    return conversation


def test_a_port_is_stopped_and_asked_what_became_of_it() -> None:
    conversation = ready()
    conversation.order(7, BOARD, "port.5.charging", value=False, now=1.0)
    (stop,) = answers(conversation, 1.0)
    assert (stop.command, stop.data) == (0xB9, b"\x05")
    assert fed(conversation, frame(0xBA, stop.session, result=0x10, port=5), 2.1).done == ()
    (ask,) = answers(conversation, 2.1)
    assert (ask.command, ask.data) == (0xB2, b"\x05")
    heard = fed(conversation, frame(0xB3, ask.session, port=5, state=0), 3.2)
    assert [(d.ticket, d.held, d.error) for d in heard.done] == [(7, False, None)]
    assert merged(heard.told)[BOARD]["port.5.charging"] is False


def test_a_port_that_goes_on_charging_is_said_to_do_so() -> None:
    conversation = ready()
    conversation.order(7, BOARD, "port.5.charging", value=False, now=1.0)
    (stop,) = answers(conversation, 1.0)
    fed(conversation, frame(0xBA, stop.session, result=0x10, port=5), 2.1)
    (ask,) = answers(conversation, 2.1)
    heard = fed(conversation, frame(0xB3, ask.session, port=5, state=1, power=100), 3.2)
    assert [d.held for d in heard.done] == [True]


def test_a_stop_that_the_board_refuses_comes_back_as_refused() -> None:
    conversation = ready()
    conversation.order(7, BOARD, "port.5.charging", value=False, now=1.0)
    (stop,) = answers(conversation, 1.0)
    (done,) = fed(conversation, frame(0xBA, stop.session, result=4, port=5), 1.1).done
    assert isinstance(done.error, Refused)
    assert "faulty" in str(done.error)


def test_the_answer_to_another_order_proves_nothing() -> None:
    conversation = ready()
    conversation.order(7, BOARD, "port.5.charging", value=False, now=1.0)
    answers(conversation, 1.0)
    fed(conversation, frame(0xBA, b"\0\0\0\0\0\x63", result=0x10, port=5), 1.1)
    fed(conversation, frame(0xBA, bytes(6), result=0x10, port=6), 1.1)
    assert answers(conversation, 2.0) == []


def test_a_stop_nobody_answers_is_given_up() -> None:
    conversation = ready()
    conversation.order(7, BOARD, "port.5.charging", value=False, now=1.0)
    answers(conversation, 1.0)
    assert conversation.next_deadline() == 1.0 + PATIENCE
    assert conversation.tick(moment(1.0 + PATIENCE - 0.01)).done == ()
    (done,) = conversation.tick(moment(1.0 + PATIENCE)).done
    assert isinstance(done.error, NoAnswer)


def test_a_charge_cannot_be_started_from_here() -> None:
    with pytest.raises(ValueError, match="payment platform"):
        ready().order(7, BOARD, "port.5.charging", value=True, now=1.0)
    with pytest.raises(ValueError, match="cannot be written"):
        ready().order(7, BOARD, "voltage", value=3, now=1.0)


def test_frames_leave_fifteen_milliseconds_apart() -> None:
    conversation = talk()
    fed(conversation, A4 * 2)
    assert conversation.to_send(0.0)
    assert conversation.to_send(0.0) == b""
    assert conversation.next_deadline() == PAUSE
    assert conversation.to_send(PAUSE)


def test_the_time_is_not_told_while_nobody_vouches_for_it() -> None:
    conversation = ready()
    conversation.receive(frame(0xA8), moment(1.0, synced=False))
    assert answers(conversation, 1.0) == []
    conversation.receive(frame(0xA8), moment(2.0))
    assert [a.command for a in answers(conversation, 2.0)] == [0xA9]


def test_addresses_and_items_are_checked() -> None:
    assert board_id("5348") == "0000000000005348"
    with pytest.raises(ValueError, match="16 digits"):
        board_id("53A8")
    assert check_item("port.20.power") == ""
    assert check_item("port.99.power")
    assert check_item("port.3.colour")
