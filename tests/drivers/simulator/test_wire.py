"""The device's end of the wire, against pymodbus' codec and whatever the stream is cut into."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from playing import unit
from pymodbus.framer import FramerRTU

from drivers.simulator.wire import MbapStream, RtuStream, crc, mbap, rtu

PDUS = st.one_of(
    st.builds(
        lambda f, a, n: bytes((f,)) + a.to_bytes(2) + n.to_bytes(2),
        st.integers(1, 6),
        st.integers(0, 999),
        st.integers(0, 999),
    ),
    st.builds(
        lambda v: bytes((16, 0, 20, 0, len(v) // 2, len(v))) + v,
        st.binary(min_size=2, max_size=40).filter(lambda v: len(v) % 2 == 0),
    ),
)


@given(st.binary(max_size=64))
def test_the_check_sum_is_the_one_of_pymodbus(data: bytes) -> None:
    assert int.from_bytes(crc(data), "big") == FramerRTU.compute_CRC(data)


@given(
    st.lists(PDUS, min_size=1, max_size=6), st.lists(st.integers(1, 40), min_size=1), st.binary(max_size=3)
)
def test_requests_do_not_depend_on_how_the_stream_is_cut(
    pdus: list[bytes], cuts: list[int], junk: bytes
) -> None:
    for stream, frames in (
        (RtuStream(), [rtu(17, pdu) for pdu in pdus]),
        (MbapStream(), [mbap(i, 17, pdu) for i, pdu in enumerate(pdus)]),
    ):
        data, found, i = b"".join(frames), [], 0
        while data:
            n = cuts[i % len(cuts)]
            found += stream.feed(data[:n])
            data, i = data[n:], i + 1
        assert [(asked.address, asked.request) for asked in found] == [(17, p) for p in pdus]


def test_a_damaged_request_does_not_lose_the_next_ones() -> None:
    good = rtu(17, bytes.fromhex("03 00 00 00 01"))
    bad = bytes((good[0], good[1] ^ 0x10, *good[2:]))
    found = RtuStream().feed(bad + good + good)
    assert found[-1].request == bytes.fromhex("03 00 00 00 01")


@given(st.binary(min_size=1, max_size=60))
def test_a_device_answers_any_request_and_never_falls_over(pdu: bytes) -> None:
    reply = unit().hear(pdu, 1.0, random.Random(1))
    assert reply is not None
    assert reply[0] & 0x7F == pdu[0] & 0x7F
    assert reply[0] < 0x80 or reply[1] in {1, 2, 3}
