"""What must hold for any bytes at all, codec by codec: the same checks for the fuzzer and for the test suite.

`check(name, data)` reads one input of the fuzzer: the first byte says how a stream is cut, the rest is tried as it
is, and once more as the content of a frame whose length and checksum are right, or no fuzzer would ever get
behind a checksum. It returns when everything holds and raises when something does not.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from drivers.cutter import Cutter, FrameError
from drivers.dc589 import explain as dc589_explain
from drivers.dc589 import frame as dc589
from drivers.dc589.ports import decode_status, encode_status
from drivers.dlt645 import explain as dlt645_explain
from drivers.dlt645 import frame as dlt645
from drivers.dlt645.framing import Dlt645
from drivers.dny import frame as dny
from drivers.gb26875 import explain as gb26875_explain
from drivers.gb26875 import frame as gb26875
from drivers.gb26875.unit import LAYOUTS, decode_unit, encode_unit
from drivers.gst9000 import record as gst9000
from drivers.modbus import explain as modbus
from drivers.modbus import framing, pdu
from drivers.stamp import Stamp
from drivers.tilt import frame as tilt
from drivers.tilt import values as tilt_values
from drivers.witmotion import frame as witmotion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_WAITING = 2048
"""Bytes that may wait in any cutter: less than two of the longest frames there are."""


class Codec(NamedTuple):
    """How one codec is tried."""

    explain: Callable[[bytes], dict[str, Any]]  # what `tocsin decode` calls
    seal: Callable[[bytes], bytes]  # a whole frame that carries these bytes
    stream: Callable[[bytes, Sequence[int]], None]  # bytes, and the sizes of the pieces they come in
    again: Callable[[bytes], None] = lambda _: None  # what was read is written as it was
    refusal: type[ValueError] = FrameError


def check(name: str, data: bytes) -> None:
    """Try one input on one codec. Raises whatever the codec should not have raised, or AssertionError."""
    codec = CODECS[name]
    how, body = data[:1] or b"\0", data[1:]
    frame = codec.seal(body)
    for one in (body, frame):
        _explained(codec, one)
    codec.again(frame)
    sizes = [how[0] % 17 + 1, how[0] // 17 + 1]
    for stream in (body, body + frame + body[:3], frame + body + frame):
        codec.stream(stream, sizes)


def _explained(codec: Codec, data: bytes) -> None:
    try:
        fields = codec.explain(data)
    except ValueError as error:
        # A UnicodeDecodeError or a failed int() is a ValueError too, but no answer to a person.
        assert isinstance(error, codec.refusal), repr(error)
        assert codec.refusal is FrameError or type(error) is ValueError, repr(error)
        assert str(error), "refused without a reason"
        return
    json.dumps(fields, allow_nan=False)


def pieces(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    """Cut bytes into pieces of these sizes, one after the other and again from the first."""
    found: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(found) % len(sizes)]
        found.append(data[at : at + size])
        at += size
    return found


def _cut(
    make: Callable[[], Cutter[Any]], encode: Callable[[Any], bytes]
) -> Callable[[bytes, Sequence[int]], None]:
    """Return the check of a cutter: the cuts change nothing, no byte is lost or twice, nothing piles up."""

    def stream(data: bytes, sizes: Sequence[int]) -> None:
        whole, parts = make(), make()
        frames = whole.feed(data)
        found: list[Any] = []
        for piece in pieces(data, sizes):
            found += parts.feed(piece)
            assert parts.pending <= MOST_WAITING
        assert found == frames
        assert (parts.noise, parts.refused, parts.pending) == (whole.noise, whole.refused, whole.pending)
        frames += whole.flush()
        assert whole.pending == 0
        spent = whole.noise + sum(len(encode(frame)) for frame in frames)
        filler = sum(data.count(byte) for byte in dlt645.FRAMING.filler) if make is dlt645.cutter else 0
        assert spent <= len(data) <= spent + filler

    return stream


def _again(decode: Callable[[bytes], Any], encode: Callable[[Any], bytes]) -> Callable[[bytes], None]:
    def again(frame: bytes) -> None:
        try:
            read = decode(frame)
        except FrameError:
            return
        assert encode(read) == frame

    return again


def _filled(data: bytes, size: int) -> bytes:
    return data[:size].ljust(size, b"\0")


# -- one codec after the other -----------------------------------------------------------------------


def _seal_dlt645(body: bytes) -> bytes:
    head = _filled(body, 7)
    address = "".join("AA" if b == 0xAA else f"{b % 100:02d}" for b in head[:6])
    return dlt645.encode_frame(dlt645.Frame(address, head[6], body[7:207]), preamble=len(body) % 3)


def _again_dlt645(frame: bytes) -> None:
    read = dlt645.decode_frame(frame)
    assert dlt645.encode_frame(read, frame.index(dlt645.MARK)) == frame
    frames, _ = Dlt645().cut(bytearray(frame + frame[:-1]), None, final=True)
    assert frames[:1], "a whole frame got lost beside a cut one"


def _seal_gb26875(body: bytes) -> bytes:
    head = _filled(body, 11)
    frame = gb26875.Frame(
        int.from_bytes(head[:2], "little"),
        Stamp(*head[2:8]),
        head[8],
        head[9],
        head[10],
        body[11 : 11 + gb26875.MOST_DATA],
        (head[8], head[9]),
    )
    return gb26875.encode_frame(frame)


def _again_gb26875(data: bytes) -> None:
    frame = gb26875.decode_frame(data)
    assert gb26875.encode_frame(frame) == data
    denial = gb26875.deny(data, frame.time)
    assert denial is not None
    gb26875.encode_frame(denial)
    try:
        unit = decode_unit(frame.data)
    except gb26875.Gb26875Error:
        return
    if unit.type not in LAYOUTS or len(unit.items) <= LAYOUTS[unit.type].most:
        assert encode_unit(unit) == frame.data


def _seal_witmotion(body: bytes) -> bytes:
    kinds = list(witmotion.Kind)
    head = _filled(body, 9)
    return witmotion.encode_frame(witmotion.Frame(kinds[head[0] % len(kinds)], head[1:]))


def _seal_tilt(family: tilt.Family) -> Callable[[bytes], bytes]:
    def seal(body: bytes) -> bytes:
        head = _filled(body, 2)
        return tilt.encode_frame(tilt.Frame(family, head[0], head[1], body[2:62]))

    return seal


def _tilt(family: tilt.Family, explain: Callable[[bytes], dict[str, Any]]) -> Codec:
    make = lambda: tilt.cutter(family)  # noqa: E731  it is compared by identity
    decode = lambda data: tilt.decode_frame(data, family)  # noqa: E731
    return Codec(
        explain, _seal_tilt(family), _cut(make, tilt.encode_frame), _again(decode, tilt.encode_frame)
    )


def _seal_dc589(body: bytes) -> bytes:
    head = _filled(body, 7)
    return dc589.encode_frame(dc589.Frame(0xA0 + head[0] % 0x60, body[7:247], head[1:]))


def _again_dc589(data: bytes) -> None:
    frame = dc589.decode_frame(data)
    assert dc589.encode_frame(frame) == data
    try:
        status = decode_status(frame)
    except dc589.Dc589Error:
        return
    if status is not None and all(max(p.remaining, p.elapsed) < 65536 * 60 for p in status.charging):
        assert decode_status(dc589.Frame(0xB1, encode_status(status))) == status


def _seal_dny(body: bytes) -> bytes:
    head = _filled(body, 7)
    physical, message = int.from_bytes(head[:4], "little"), int.from_bytes(head[4:6], "little")
    return dny.encode_frame(dny.Frame(physical, message, head[6], body[7:500]))


def _seal_gst9000(body: bytes) -> bytes:
    head = _filled(body, 2)
    return b"\x1b608/12/02  17:24\n  %03d-%03d\n\x1b9" % (head[0], head[1]) + body[2:66] + b"\n"


def _stream_gst9000(data: bytes, sizes: Sequence[int]) -> None:
    whole, parts = gst9000.Cutter(), gst9000.Cutter()
    found = []
    for piece in pieces(data, sizes):
        found += parts.feed(piece)
        assert len(parts._buffer) <= gst9000.MOST
    assert found == whole.feed(data)
    assert parts.noise == whole.noise


def _again_gst9000(data: bytes) -> None:
    try:
        record = gst9000.decode_record(data)
    except gst9000.Gst9000Error:
        return
    assert gst9000.decode_record(gst9000.encode_record(record)) == record


def _seal_rtu(body: bytes) -> bytes:
    frame = bytes([1 + (body[0] if body else 0) % 247]) + (body[1:250] or b"\x03")
    return frame + pdu.crc(frame)


def _stream_rtu(data: bytes, sizes: Sequence[int]) -> None:
    """Frames without marks depend on the silences, so the cuts matter; yet no byte may be lost or come twice."""
    unit = data[0] if data else 1
    buffer, garbage = bytearray(), 0
    frames: list[framing.Frame] = []
    for number, piece in enumerate([*pieces(data, sizes), b""]):
        buffer += piece
        cut = framing.RTU.cut(buffer, unit, final=not piece)
        frames += cut.frames
        garbage += len(cut.garbage)
        assert len(buffer) <= framing.MOST_RTU, number
    assert not buffer
    assert garbage + sum(len(frame.pdu) + 3 for frame in frames) == len(data)
    _fast_way(data)


def _fast_way(data: bytes) -> None:
    """The short cut for the common answer says what the careful way says."""
    head = _filled(data, 6)
    query = pdu.read(1 + head[0] % 247, 1 + head[1] % 4, head[2], 1 + head[3] % 60)
    answer = bytes([query.unit]) + query.shape + data[4 : 4 + (query.answer or 2) - 2]
    buffer = bytearray(answer + pdu.crc(answer))
    for bytes_ in (buffer, bytearray(data)):
        framing.RTU.missing(bytes_, query)
        if (fast := framing.RTU.answer(bytes_, query)) is not None:
            assert framing.RTU.cut(bytes_, query.unit, final=True).frames == [framing.Frame(query.unit, fast)]


def _seal_tcp(body: bytes) -> bytes:
    head = _filled(body, 3)
    content = body[3:256] or b"\x03"
    return framing.HEADER.pack(int.from_bytes(head[:2], "big"), 0, len(content) + 1, head[2]) + content


def _stream_tcp(data: bytes, sizes: Sequence[int]) -> None:
    parts = framing.PacketReader()
    found: list[framing.Packet] = []
    try:
        for piece in pieces(data, sizes):
            found += parts.feed(piece)
            assert len(parts.buffer) <= framing.MOST_LENGTH + framing.HEADER.size
        assert framing.PacketReader().feed(data) == found
    except ValueError as error:  # no header: the connection is closed
        assert type(error) is ValueError


CODECS = {
    "dc589": Codec(dc589_explain.explain, _seal_dc589, _cut(dc589.cutter, dc589.encode_frame), _again_dc589),
    "dlt645": Codec(
        dlt645_explain.explain, _seal_dlt645, _cut(dlt645.cutter, dlt645.encode_frame), _again_dlt645
    ),
    "dny": Codec(
        dny.explain, _seal_dny, _cut(dny.cutter, dny.encode_frame), _again(dny.decode_frame, dny.encode_frame)
    ),
    "gb26875": Codec(
        gb26875_explain.explain, _seal_gb26875, _cut(gb26875.cutter, gb26875.encode_frame), _again_gb26875
    ),
    "gst9000": Codec(gst9000.explain, _seal_gst9000, _stream_gst9000, _again_gst9000),
    "modbus-rtu": Codec(modbus.explain_rtu, _seal_rtu, _stream_rtu, refusal=ValueError),
    "modbus-tcp": Codec(modbus.explain_tcp, _seal_tcp, _stream_tcp, refusal=ValueError),
    "tilt68": _tilt(tilt.Family.RION, tilt_values.explain_68),
    "tilt77": _tilt(tilt.Family.BW, tilt_values.explain_77),
    "witmotion": Codec(
        witmotion.explain,
        _seal_witmotion,
        _cut(witmotion.cutter, witmotion.encode_frame),
        _again(witmotion.decode_frame, witmotion.encode_frame),
    ),
}
