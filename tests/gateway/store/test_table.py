"""The table of records: its runs are found in a few look-ups, also when what it says of itself is wrong."""

from __future__ import annotations

import sqlite3

import pytest

from gateway.store import table
from gateway.store.records import Damaged, row_id

ROWS = 30


def filled(numbers: range | list[int]) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute(table.SCHEMA)
    table.append(db, [table.Row(row_id(1, n), n, n, 1, b"x%d" % n) for n in numbers])
    return db


def looked_at(db: sqlite3.Connection, asked: list[str] | None = None) -> tuple[list[tuple[int, int]], int]:
    """Return the runs as numbers in their epoch, and how many look-ups it took."""
    asked = [] if asked is None else asked
    db.set_trace_callback(asked.append)
    found = [(first - row_id(1, 0), last - row_id(1, 0)) for first, last in table.spans(db)]
    return found, len(asked)


def test_one_run_takes_a_handful_of_look_ups_however_long_it_is() -> None:
    assert looked_at(filled(range(1, 2001))) == ([(1, 2000)], looked_at(filled(range(1, 3)))[1])


def test_a_hole_splits_a_run_wherever_it_is() -> None:
    for hole in range(2, ROWS):
        rows = [n for n in range(1, ROWS + 1) if n != hole]
        assert looked_at(filled(rows))[0] == [(1, hole - 1), (hole + 1, ROWS)]


@pytest.mark.parametrize("leap", [1 << 8, 1 << 20, 1 << 34])
def test_a_number_that_was_damaged_into_a_far_one_is_damage_and_the_hole_is_not_searched(leap: int) -> None:
    """Its running total does not fit its place: every part of the hole then claims to hold something."""
    db = filled(range(1, ROWS + 1))
    db.execute("UPDATE records SET id = id + ? WHERE id = ?", (leap, row_id(1, 14)))
    asked: list[str] = []
    with pytest.raises(Damaged, match=str(14 + leap)):
        looked_at(db, asked)
    assert len(asked) < 10 * ROWS


def test_totals_that_say_anything_take_look_ups_by_the_row_and_not_by_the_number() -> None:
    db = filled([*range(1, ROWS), 1 << 30])
    db.execute("UPDATE records SET records = abs(random()) % 1000000")
    found, asked = looked_at(db)
    assert found[0][0] == 1
    assert found[-1][1] == 1 << 30
    assert asked < 40 * ROWS
