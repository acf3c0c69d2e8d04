"""Frames of every tongue as they were heard, and what of them people see."""

from __future__ import annotations

from drivers.dlt645.relay import Relay, RelayOrder, encode_relay_order
from drivers.stamp import Stamp
from drivers.survey.frames import cut, shown
from drivers.survey.talk import Tongue


def test_what_people_see_of_a_relay_order_is_not_its_password() -> None:
    order = RelayOrder(Relay.TRIP, Stamp(26, 11, 30, 12, 0, 0), level=2, password=b"\x65\x43\x21")
    frame = encode_relay_order("202600000161", order)
    (said,) = cut(Tongue.DLT645, frame).said
    text = shown(said)
    assert text.count("**") == 16
    assert len(text.split()) == len(said.frame)
    asked = cut(Tongue.DLT645, bytes.fromhex("68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16")).said[0]
    assert shown(asked) == "68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16"
