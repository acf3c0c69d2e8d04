"""The proof of drivers/line/owed.py, tried against an adversary: a unit that loses, delays and refuses at will."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.line.owed import MOST, Debt, Owed


def debt(function: int, size: int, sent: float = 0.0) -> Debt:
    return Debt(bytes((function, size)), 2 + size, bytes((function | 0x80,)), sent)


def answer(function: int, size: int) -> bytes:
    return bytes((function, size)) + bytes(size)


def test_a_request_clashes_with_an_owed_one_of_its_shape_only() -> None:
    owed = Owed()
    owed.add(debt(3, 4))
    assert owed.clashes(bytes((3, 4)))
    assert not owed.clashes(bytes((3, 6)))
    assert not owed.clashes(bytes((4, 4)))
    assert owed.clashes(b"\x03")  # a raw request that foretells only its function


def test_an_answer_strikes_off_the_earliest_that_fits_and_what_was_before_it() -> None:
    owed = Owed()
    for size in (2, 4, 6, 4):
        owed.add(debt(3, size))
    assert owed.settle(answer(3, 4))
    assert not owed.clashes(bytes((3, 2)))
    assert owed.clashes(bytes((3, 6)))
    assert owed.clashes(bytes((3, 4)))  # the second one may still come
    assert not owed.settle(answer(3, 8))


def test_an_exception_strikes_off_the_earliest_of_its_function() -> None:
    owed = Owed()
    for function in (4, 3, 3):
        owed.add(debt(function, 4))
    assert owed.settle(b"\x83\x02")
    assert len(owed) == 1


def test_a_seen_late_answer_ends_the_quarantine() -> None:
    owed = Owed()
    owed.add(debt(3, 4))
    owed.held = 99.0
    owed.settle(answer(3, 4))
    assert owed.held == 0.0


def test_what_is_owed_is_bounded_and_lapses() -> None:
    owed = Owed()
    for n in range(MOST):
        owed.add(debt(3, 4, sent=float(n)))
    assert owed.full
    owed.lapse(before=MOST - 1.0)
    assert len(owed) == 1
    assert owed.oldest == MOST - 1.0


SHAPES = [(3, 2), (3, 4), (3, 6), (4, 2), (4, 4)]


def move(byte: int) -> tuple[str, object]:
    """Return one move of the adversary; a list of moves drawn as bytes is drawn ten times faster."""
    what, detail = ("ask", "answer", "lose", "time out")[byte % 4], byte // 4
    if what == "ask":
        return what, SHAPES[detail % len(SHAPES)]
    return what, bool(detail % 2) if what == "answer" else None  # True: with an exception


MOVES = st.binary(max_size=60).map(lambda drawn: [move(byte) for byte in drawn])


def play(moves: list[tuple[str, object]], *, guarded: bool) -> int:
    """Let master and unit take turns; return how many answers were credited to the wrong request."""
    owed = Owed()
    inside: list[
        tuple[int, int, int]
    ] = []  # what the unit has still to answer, in order: number, function, size
    current: tuple[int, int, int] | None = None
    function: int
    size: int
    number = wrong = 0
    for what, detail in moves:
        if what == "ask" and current is None:
            function, size = detail  # type: ignore[misc]  # from SHAPES
            if guarded and owed.clashes(bytes((function, size))):
                continue
            number += 1
            current = (number, function, size)
            inside.append(current)
        elif what == "lose" and inside:
            inside.pop(0)
        elif what == "time out" and current is not None:
            owed.add(debt(*current[1:]))
            current = None
        elif what == "answer" and inside:
            n, function, size = inside.pop(0)
            pdu = bytes((function | 0x80, 2)) if detail else answer(function, size)
            if guarded and owed.settle(pdu):
                continue
            if current is not None and debt(*current[1:]).fits(pdu):
                wrong += n != current[0]
                owed.clear()
                current = None
    return wrong


@given(MOVES)
@settings(max_examples=500, deadline=None)
def test_no_answer_is_ever_credited_to_another_request(moves: list[tuple[str, object]]) -> None:
    assert play(moves, guarded=True) == 0


def test_the_same_adversary_beats_a_master_without_the_proof() -> None:
    moves: list[tuple[str, object]] = [
        ("ask", (3, 4)),
        ("time out", None),
        ("ask", (3, 4)),
        ("answer", False),
    ]
    assert play(moves, guarded=False) == 1
    assert play(moves, guarded=True) == 0
