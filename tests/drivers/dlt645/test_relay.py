"""The relay order of DL/T 645: its bytes, and to whom it is never addressed."""

from __future__ import annotations

import pytest

from drivers.dlt645.explain import explain
from drivers.dlt645.frame import Dlt645Error, decode_frame
from drivers.dlt645.relay import Relay, RelayOrder, decode_relay_order, encode_relay_order
from drivers.stamp import Stamp

ORDER = RelayOrder(Relay.TRIP, Stamp(26, 11, 22, 8, 15, 30), 2, b"\x01\x02\x03", b"\x78\x56\x34\x12")


def test_an_order_is_laid_out_as_the_standard_says() -> None:
    data = encode_relay_order("000000000161", ORDER, preamble=0)
    assert decode_frame(data).data.hex(" ") == "02 01 02 03 78 56 34 12 1a 00 30 15 08 22 11 26"
    assert data[8:10].hex() == "1c10"


@pytest.mark.parametrize("relay", Relay)
def test_an_order_is_read_as_it_was_written(relay: Relay) -> None:
    order = RelayOrder(relay, ORDER.expires, 4, b"abc", b"defg")
    data = encode_relay_order("000000000161", order)
    assert decode_relay_order(decode_frame(data)) == order
    shown = explain(data)
    assert (shown["relay"], shown["expires"]) == (relay.name.lower(), "2026-11-22T08:15:30")


@pytest.mark.parametrize("address", ["A" * 12, "AAAAAAAA0161", "9" * 12, "161", ""])
def test_an_order_goes_to_one_meter(address: str) -> None:
    with pytest.raises(Dlt645Error):
        encode_relay_order(address, ORDER)


def test_an_order_without_a_true_end_or_a_whole_password_is_not_written() -> None:
    for bad in (
        RelayOrder(Relay.TRIP, Stamp(26, 2, 30, 0, 0, 0)),
        RelayOrder(Relay.TRIP, ORDER.expires, password=b"12"),
        RelayOrder(Relay.TRIP, ORDER.expires, operator=b"12345"),
    ):
        with pytest.raises(Dlt645Error):
            encode_relay_order("000000000161", bad)


def test_the_password_is_not_in_what_gets_logged() -> None:
    assert "password" not in repr(ORDER)
