"""DL/T 645 on a wire: what belongs to whom, however the bytes come, and what a request foretells."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.dlt645 import query
from drivers.dlt645.frame import Edition, Frame, encode_frame
from drivers.dlt645.framing import FENCES, Dlt645
from drivers.dlt645.query import pdu_of
from drivers.line.owed import Debt
from drivers.line.settings import LineSettings

ADDRESS = "000000000161"
ITEMS = st.sampled_from([0x00010000, 0x00020000, 0x02010100, 0x02010200, 0x0201FF00, 0x04000503])
REPLIES = st.builds(
    Frame,
    st.just(ADDRESS),
    st.sampled_from([0x91, 0xB1, 0x92, 0xB2, 0xD1, 0xD2, 0x93, 0x9C, 0xDC, 0x81, 0xC1, 0x11, 0x00, 0xFF]),
    st.binary(max_size=12),
)


@settings(max_examples=200)
@given(st.lists(REPLIES, max_size=4), st.lists(st.integers(1, 30), max_size=12))
def test_frames_do_not_depend_on_how_the_bytes_come(frames: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(encode_frame(frame, 4) for frame in frames)
    framing, buffer = Dlt645(), bytearray()
    found: list[tuple[object, bytes]] = []
    at = 0
    for size in [*cuts, len(stream)]:
        buffer += stream[at : at + size]
        at += size
        pieces, garbage = framing.cut(buffer, None, final=False)
        found += pieces
        assert garbage == b""
    assert found == [(ADDRESS, pdu_of(frame)) for frame in frames]
    assert len(buffer) < 4 + 212


@given(REPLIES)
def test_no_frame_at_all_can_stop_the_line(frame: Frame) -> None:
    pdu = pdu_of(frame)
    assert pdu[0] == frame.control & ~0x20
    asked = query.read(ADDRESS, 0x02010100)
    Debt(asked.shape, asked.answer, asked.refusal, 0.0).fits(pdu)
    assert Dlt645.explain(bytes((frame.control, 0))) != ""


@given(ITEMS, ITEMS, st.integers(1, 3))
def test_answers_to_different_questions_cannot_be_taken_for_each_other(
    one: int, two: int, number: int
) -> None:
    asked = [query.read(ADDRESS, one), query.read(ADDRESS, two), query.read_next(ADDRESS, one, number)]
    answers = [
        Frame(ADDRESS, 0x91, one.to_bytes(4, "little") + b"\1\2"),
        Frame(ADDRESS, 0xB1, two.to_bytes(4, "little") + b"\3\4"),
        Frame(ADDRESS, 0x92, one.to_bytes(4, "little") + b"\5\6" + bytes((number,))),
    ]
    for i, question in enumerate(asked):
        debt = Debt(question.shape, question.answer, question.refusal, 0.0)
        for j, answer in enumerate(answers):
            same = i == j or (one == two and {i, j} <= {0, 1})
            assert debt.fits(pdu_of(answer)) is same


def test_a_fence_never_has_the_shape_of_what_it_protects_and_each_attempt_begins_with_another() -> None:
    for edition in Edition:
        for di in FENCES[edition]:
            asked = query.read(ADDRESS, di, edition)
            tried = [Dlt645.fence(asked, attempt) for attempt in range(2)]
            assert all(form.shape != asked.shape for forms in tried for form in forms)
            assert tried[0][0] != tried[1][0]


def test_a_reply_says_how_much_is_still_to_come_as_soon_as_its_head_is_in() -> None:
    asked = query.read(ADDRESS, 0x0001FF00)
    whole = encode_frame(Frame(ADDRESS, 0x91, bytes(200)), 4)
    assert Dlt645.missing(bytearray(), asked) == asked.size == 16
    assert Dlt645.missing(bytearray(whole[:13]), asked) == asked.size - 9
    for have in range(14, len(whole) + 1):
        assert Dlt645.missing(bytearray(whole[:have]), asked) == len(whole) - have
    refusal = encode_frame(Frame(ADDRESS, 0xD1, b"\2"))
    assert Dlt645.missing(bytearray(refusal), asked) == 0


def test_a_wildcard_is_known_by_whom_it_reaches() -> None:
    framing = Dlt645()
    framing.request(query.read("AAAAAAAA0161", 0x02010100))
    buffer = bytearray(encode_frame(Frame(ADDRESS, 0x91, b"\0\1\1\2\1\1")))
    buffer += encode_frame(Frame("000000000162", 0x91, b"\0\1\1\2\1\1"))
    frames, _ = framing.cut(buffer, "AAAAAAAA0161", final=True)
    assert [unit for unit, _ in frames] == ["AAAAAAAA0161", "000000000162"]


def test_a_converter_keeps_the_silence_itself() -> None:
    assert Dlt645.silence(LineSettings("l", "dlt645", serial="/dev/ttyS0")) == 0.02
    assert Dlt645.silence(LineSettings("l", "dlt645", tcp="h:1", gap=0.1)) == 0.1
