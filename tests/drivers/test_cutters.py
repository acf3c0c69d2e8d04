"""Every stream cutter: cut anywhere, noise between frames, a start in the middle, a bounded buffer, silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.cutter import Cutter
from drivers.dc589 import frame as dc589
from drivers.dlt645 import frame as dlt645
from drivers.dny import frame as dny
from drivers.gb26875 import frame as gb26875
from drivers.gst9000 import record as gst9000
from drivers.stamp import Stamp
from drivers.tilt import frame as tilt
from drivers.witmotion import frame as witmotion

if TYPE_CHECKING:
    from collections.abc import Callable


class Stream(NamedTuple):
    cutter: Callable[[], Any]
    frames: st.SearchStrategy[Any]
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    mark: bytes
    most: int  # bytes that may wait
    marks: tuple[int, ...] = ()  # bytes that noise must not hold, so that it surely is noise


bytes_ = st.binary(max_size=40)
byte = st.integers(0, 255)
stamps = st.builds(Stamp, byte, byte, byte, byte, byte, byte)
address48 = st.integers(0, 2**48 - 1)
STREAMS = {
    "dlt645": Stream(
        dlt645.cutter,
        st.builds(dlt645.Frame, st.from_regex(r"\A(AA|[0-9]{2}){6}\Z"), byte, bytes_),
        dlt645.encode_frame,
        dlt645.decode_frame,
        b"\x68",
        212,
    ),
    "gb26875": Stream(
        gb26875.cutter,
        st.builds(
            gb26875.Frame,
            st.integers(0, 65535),
            stamps,
            address48,
            address48,
            byte,
            st.binary(max_size=60) | st.just(b"##@@##") | st.just(bytes(range(256)) * 4),
            st.tuples(byte, byte),
        ),
        gb26875.encode_frame,
        gb26875.decode_frame,
        b"@@",
        1054,
    ),
    "witmotion": Stream(
        witmotion.cutter,
        st.builds(witmotion.Frame, st.sampled_from(witmotion.Kind), st.binary(min_size=8, max_size=8)),
        witmotion.encode_frame,
        witmotion.decode_frame,
        b"\x55",
        11,
    ),
    "dc589": Stream(
        dc589.cutter,
        st.builds(dc589.Frame, st.integers(0xA0, 255), bytes_, st.binary(min_size=6, max_size=6)),
        dc589.encode_frame,
        dc589.decode_frame,
        b"\xee",
        257,
    ),
    "dny": Stream(
        dny.cutter,
        st.builds(dny.Frame, st.integers(0, 2**32 - 1), st.integers(0, 65535), byte, bytes_),
        dny.encode_frame,
        dny.decode_frame,
        b"DNY",
        517,
    ),
    "gst9000": Stream(
        gst9000.Cutter,
        st.builds(
            gst9000.Record,
            st.integers(0, 999),
            st.integers(0, 999),
            st.sampled_from(["首次火警", "火警", "复位", "故障"]),
            st.just("08/12/02  17:24"),
        ),
        gst9000.encode_record,
        gst9000.decode_record,
        b"\x1b6",
        128,
    ),
    **{
        f"tilt{family:02x}": Stream(
            lambda family=family: tilt.cutter(family),  # type: ignore[misc]
            st.builds(tilt.Frame, st.just(family), byte, byte, bytes_),
            tilt.encode_frame,
            lambda data, family=family: tilt.decode_frame(data, family),  # type: ignore[misc]
            bytes([family]),
            65,
        )
        for family in tilt.Family
    },
}
EVERY = pytest.mark.parametrize("name", STREAMS)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[a:b] for a, b in zip([0, *ends], ends, strict=False)]


places = st.lists(st.integers(0, 5000), max_size=12)


@EVERY
@given(drawn=st.data(), where=places)
@settings(max_examples=25, deadline=None)
def test_frames_do_not_depend_on_how_the_stream_is_cut(
    name: str, drawn: st.DataObject, where: list[int]
) -> None:
    stream = STREAMS[name]
    frames = drawn.draw(st.lists(stream.frames, max_size=5))
    cutter = stream.cutter()
    data = b"".join(map(stream.encode, frames))
    assert [f for piece in cut(data, where) for f in cutter.feed(piece)] == frames
    assert (cutter.noise, cutter.refused) == (0, 0)
    assert stream.cutter().feed(data) == frames


@EVERY
@given(drawn=st.data())
@settings(max_examples=15, deadline=None)
def test_a_frame_comes_out_with_its_last_byte(name: str, drawn: st.DataObject) -> None:
    stream = STREAMS[name]
    frame = drawn.draw(stream.frames)
    cutter = stream.cutter()
    data = stream.encode(frame)
    assert [cutter.feed(data[i : i + 1]) for i in range(len(data))] == [[]] * (len(data) - 1) + [[frame]]


@EVERY
@given(drawn=st.data(), where=places)
@settings(max_examples=25, deadline=None)
def test_noise_between_frames_costs_no_frame(name: str, drawn: st.DataObject, where: list[int]) -> None:
    stream = STREAMS[name]
    frames = drawn.draw(st.lists(stream.frames, max_size=4))
    quiet = st.binary(max_size=50).map(lambda b: b.translate(None, stream.mark))
    noises = drawn.draw(st.lists(quiet, min_size=len(frames) + 1, max_size=len(frames) + 1))
    data = b"".join(
        noise + piece for noise, piece in zip(noises, [*map(stream.encode, frames), b""], strict=True)
    )
    cutter = stream.cutter()
    assert [f for piece in cut(data, where) for f in cutter.feed(piece)] == frames


@EVERY
@given(drawn=st.data(), where=places)
@settings(max_examples=40, deadline=None)
def test_any_bytes_are_taken_the_same_way_however_cut(
    name: str, drawn: st.DataObject, where: list[int]
) -> None:
    stream = STREAMS[name]
    whole = st.tuples(stream.frames.map(stream.encode), st.integers(0, 60)).map(lambda f: f[0][f[1] :])
    junk = st.binary(max_size=30) | st.just(stream.mark) | st.just(stream.mark * 3)
    data = b"".join(drawn.draw(st.lists(whole | junk, max_size=8)))
    one, other = stream.cutter(), stream.cutter()
    found = one.feed(data)
    assert [f for piece in cut(data, where) for f in other.feed(piece)] == found
    assert one.noise == other.noise
    for frame in found:
        assert stream.decode(stream.encode(frame)) == frame  # nothing comes out that could not be sent


@EVERY
@given(drawn=st.data(), data=st.binary(max_size=3000))
@settings(max_examples=8, deadline=None)
def test_the_buffer_is_bounded_and_silence_empties_it(name: str, drawn: st.DataObject, data: bytes) -> None:
    stream = STREAMS[name]
    cutter = stream.cutter()
    for piece in (data, stream.mark * 700, stream.mark + data, stream.mark):
        cutter.feed(piece)
        assert (cutter.pending if isinstance(cutter, Cutter) else len(cutter._buffer)) <= stream.most
    if isinstance(cutter, Cutter):
        cutter.flush()
        assert cutter.pending == 0
        frame = drawn.draw(stream.frames)
        assert cutter.feed(stream.encode(frame)) == [frame]


def test_a_frame_behind_one_that_will_never_be_finished_comes_out_when_the_line_falls_silent() -> None:
    cutter = dlt645.cutter()
    frame = dlt645.Frame("000000000161", 0x91, b"\0\1\1\2\1\x10")
    broken = bytes.fromhex("68 61 01 00 00 00 00 68 91 C0")
    assert cutter.feed(broken + dlt645.encode_frame(frame)) == []
    assert cutter.flush() == [frame]
    assert cutter.noise == len(broken)


def test_what_was_refused_is_kept_with_the_reason_but_not_without_end() -> None:
    cutter = gb26875.cutter()
    good = gb26875.encode_frame(gb26875.Frame(7, Stamp(26, 11, 22, 8, 15, 30), 889, 88888, 2, b"\x01\x00"))
    bad = good[:-3] + bytes([good[-3] ^ 1]) + good[-2:]
    assert len(cutter.feed(bad * 40 + good)) == 1
    assert (cutter.refused, len(cutter.refusals)) == (40, 16)
    denial = gb26875.deny(cutter.refusals[-1].frame, Stamp(26, 11, 22, 8, 15, 31))
    assert denial is not None
    assert (denial.sequence, denial.source, denial.destination, denial.command) == (7, 88888, 889, 6)


def test_wake_up_bytes_are_no_noise() -> None:
    cutter = dlt645.cutter()
    frame = dlt645.Frame("000000000161", 0x11, b"\0\1\1\2")
    assert cutter.feed(dlt645.encode_frame(frame, 4) * 3) == [frame] * 3
    assert cutter.noise == 0


@EVERY
@given(drawn=st.data(), data=st.binary(max_size=80), start=st.booleans())
@settings(max_examples=40, deadline=None)
def test_any_bytes_are_a_frame_or_refused(name: str, drawn: st.DataObject, data: bytes, start: bool) -> None:
    stream = STREAMS[name]
    data = stream.mark + data if start else data
    try:
        frame = stream.decode(data)
    except ValueError:
        return
    assert stream.encode(frame) == (data.lstrip(b"\xfe") if name == "dlt645" else data) or name == "gst9000"


def test_half_a_mark_directly_before_a_frame_does_not_cost_the_frame() -> None:
    frame = gb26875.Frame(7, Stamp(26, 11, 22, 8, 15, 30), 889, 88888, 2, b"\x59\x01\x00")
    for stray in (b"@", b"@@", b"@@@"):
        cutter = gb26875.cutter()
        assert cutter.feed(stray + gb26875.encode_frame(frame) * 40)[-1] == frame
        assert cutter.noise == len(stray)
