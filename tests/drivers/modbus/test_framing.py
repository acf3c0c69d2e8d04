"""Frames come out of bytes whatever stands before, between and behind them, however they are cut."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from wire import rtu

from drivers.modbus import pdu
from drivers.modbus.framing import RTU, PacketReader, parse_rtu
from drivers.modbus.pdu import crc

QUERY = pdu.read(17, 3, 0, 2)
GOOD = rtu(17, 3, 4, 1, 2, 3, 4)


def cut(data: bytes, *, final: bool = False) -> tuple[list[tuple[int, bytes]], bytes, bytes]:
    buffer = bytearray(data)
    frames, garbage = RTU.cut(buffer, 17, final=final)
    return [(f.unit, f.pdu) for f in frames], garbage, bytes(buffer)


def test_the_plain_answer_is_taken_at_once() -> None:
    assert RTU.answer(bytearray(GOOD), QUERY) == GOOD[1:-2]


@pytest.mark.parametrize(
    "wrong",
    [
        rtu(18, 3, 4, 1, 2, 3, 4),  # another unit
        rtu(17, 4, 4, 1, 2, 3, 4),  # another function
        rtu(17, 3, 2, 1, 2),  # fewer registers
        rtu(17, 3, 6, 1, 2, 3, 4, 5, 6),  # more registers
        GOOD[:-1] + bytes([GOOD[-1] ^ 1]),  # a flipped bit
        b"\0" + GOOD,
        GOOD + b"\0",
    ],
    ids=["unit", "function", "short", "long", "checksum", "garbage before", "garbage after"],
)
def test_anything_but_the_plain_answer_is_not(wrong: bytes) -> None:
    assert RTU.answer(bytearray(wrong), QUERY) is None


@given(st.integers(0, 8 * len(GOOD) - 1), st.integers(0, 8 * len(GOOD) - 1))
def test_one_or_two_flipped_bits_never_make_an_answer(first: int, second: int) -> None:
    broken = bytearray(GOOD)
    for bit in {first, second}:
        broken[bit // 8] ^= 1 << bit % 8
    assert RTU.answer(broken, QUERY) is None


def test_garbage_before_between_and_behind_frames_is_set_aside() -> None:
    other = rtu(9, 0x83, 2)
    frames, garbage, rest = cut(b"\x00\xff" + GOOD + b"\x00" + other + b"\xff\x00", final=True)
    assert frames == [(17, GOOD[1:-2]), (9, other[1:-2])]
    assert (garbage, rest) == (b"\x00\xff\x00\xff\x00", b"")


def test_an_unfinished_frame_waits_for_its_rest_until_the_wire_is_silent() -> None:
    assert cut(b"\xff" + GOOD[:5]) == ([], b"\xff", GOOD[:5])
    assert cut(b"\xff" + GOOD[:5], final=True) == ([], b"\xff" + GOOD[:5], b"")


def test_a_frame_behind_what_looks_like_the_beginning_of_a_long_one_is_found() -> None:
    frames, garbage, _ = cut(bytes([5, 3, 250]) + GOOD)
    assert frames == [(17, GOOD[1:-2])]
    assert garbage == bytes([5, 3, 250])


def test_our_own_request_coming_back_is_a_frame_but_no_answer() -> None:
    frames, garbage, _ = cut(QUERY.rtu + GOOD)
    assert [f for _, f in frames] == [QUERY.pdu, GOOD[1:-2]]
    assert not QUERY.pdu.startswith(QUERY.shape)
    assert garbage == b""


@pytest.mark.parametrize(
    ("came", "missing"),
    [(b"", 9), (GOOD[:1], 8), (GOOD[:2], 7), (GOOD[:8], 1), (GOOD, 0), (b"\x11\x83", 3), (b"\x11\x83\x02\0\0", 0),
     (bytes([17, 3, 20]), 22), (bytes([17, 3, 2]), 4)],
)  # fmt: skip
def test_how_much_is_missing_is_known_from_the_first_bytes(came: bytes, missing: int) -> None:
    assert RTU.missing(bytearray(came), QUERY) == missing


def has_another_frame(stream: bytes, frames: list[bytes]) -> bool:
    """Return whether by accident some other part of the stream has a good checksum."""
    ends = list(accumulate(map(len, frames)))
    sent = set(pairwise([0, *ends]))
    size = len(stream)
    parts = {(i, j) for i in range(size) for j in range(i + 4, size + 1)} - sent
    return any(crc(stream[i:j]) == b"\0\0" for i, j in parts)


def test_an_answer_may_hold_what_looks_like_a_whole_request() -> None:
    answer = rtu(1, 3, 4, 0, 0xCD, 0xA2, 0x91)
    assert has_another_frame(answer, [answer])
    assert not has_another_frame(GOOD, [GOOD])


@given(
    st.lists(st.tuples(st.integers(1, 247), st.binary(min_size=2, max_size=20)), min_size=1, max_size=5),
    st.lists(st.integers(1, 9), min_size=1, max_size=30),
)
def test_frames_do_not_depend_on_how_the_stream_is_cut(
    told: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    sent = [(unit, bytes((3, len(data) & 0xFE)) + data[: len(data) & 0xFE]) for unit, data in told]
    frames = [rtu(unit, *body) for unit, body in sent]
    stream = b"".join(frames)
    assume(not has_another_frame(stream, frames))  # one in 65,536 pieces of it, and then nobody can tell
    buffer, got, at, turn = bytearray(), [], 0, 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        buffer += stream[at : at + step]
        at, turn = at + step, turn + 1
        got += [(f.unit, f.pdu) for f in RTU.cut(buffer, 1, final=False).frames]
    assert got == sent


@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_cut_without_loss(data: bytes) -> None:
    frames, garbage, rest = cut(data, final=True)
    assert rest == b""
    assert len(garbage) + sum(len(body) + 3 for _, body in frames) == len(data)


def test_a_single_frame_says_what_is_wrong_with_it() -> None:
    assert parse_rtu(GOOD) == (17, GOOD[1:-2])
    with pytest.raises(ValueError, match="would be right"):
        parse_rtu(GOOD[:-1] + b"\x00")
    with pytest.raises(ValueError, match="4 to 256 bytes, this one 3"):
        parse_rtu(GOOD[:3])


@given(
    st.lists(
        st.tuples(st.integers(0, 0xFFFF), st.integers(0, 255), st.binary(min_size=1, max_size=253)),
        max_size=6,
    ),
    st.lists(st.integers(1, 40), min_size=1),
)
def test_tcp_frames_do_not_depend_on_how_the_stream_is_cut(
    told: list[tuple[int, int, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(
        t.to_bytes(2, "big") + b"\0\0" + (len(body) + 1).to_bytes(2, "big") + bytes((unit,)) + body
        for t, unit, body in told
    )
    reader, got, at, turn = PacketReader(), [], 0, 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        got += reader.feed(stream[at : at + step])
        at, turn = at + step, turn + 1
    assert got == told


@pytest.mark.parametrize("head", ["0001000100060b", "0001000000010b", "0001000000ff0b"])
def test_a_stream_out_of_step_is_an_error(head: str) -> None:
    with pytest.raises(ValueError, match="not a Modbus TCP header"):
        PacketReader().feed(bytes.fromhex(head))
