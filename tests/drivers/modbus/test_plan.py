"""The planner: what merging costs, what a device may refuse, and what is remembered."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.budget import Load, budget
from drivers.line.settings import LineSettings
from drivers.modbus.plan import NOTHING, Block, Cost, Known, Lessons, plan, refused
from drivers.modbus.requests import request as request_of
from drivers.profile import Limits, Point
from drivers.registers import PointType, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def serial(baud: int, turnaround: float = 0.0) -> Cost:
    """Eleven bits per character, as the table of the timing rules has them."""
    return Cost.of_line(
        LineSettings("l", "modbus-rtu", serial="/dev/null", baud=baud, parity="even"), turnaround
    )


TCP = Cost.of_line(LineSettings("l", "modbus-tcp", tcp="127.0.0.1:502"))


def at(*addresses: int, table: str = "holding", kind: PointType = PointType.UINT16) -> dict[str, Point]:
    return {f"p{a}": Point(f"{table}:{a}", kind) for a in addresses}


def spans(blocks: Iterable[Block]) -> list[tuple[int, int]]:
    return [(block.start, block.count) for block in blocks]


# domain.md section 8: (milliseconds, polls per second) for N registers, 11 bits, no turnaround
TABLE = {
    2400: (16.042, {1: (100.8, 9.9), 2: (110.0, 9.1), 10: (183.3, 5.5), 20: (275.0, 3.6), 60: (641.7, 1.6), 125: (1237.5, 0.8)}),
    4800: (8.021, {1: (50.4, 19.8), 2: (55.0, 18.2), 10: (91.7, 10.9), 20: (137.5, 7.3), 60: (320.8, 3.1), 125: (618.7, 1.6)}),
    9600: (4.010, {1: (25.2, 39.7), 2: (27.5, 36.4), 10: (45.8, 21.8), 20: (68.8, 14.5), 60: (160.4, 6.2), 125: (309.4, 3.2)}),
    19200: (2.005, {1: (12.6, 79.3), 2: (13.7, 72.7), 10: (22.9, 43.6), 20: (34.4, 29.1), 60: (80.2, 12.5), 125: (154.7, 6.5)}),
    38400: (1.750, {1: (7.8, 128.3), 2: (8.4, 119.5), 10: (13.0, 77.2), 20: (18.7, 53.5), 60: (41.6, 24.0), 125: (78.8, 12.7)}),
    57600: (1.750, {1: (6.4, 157.1), 2: (6.7, 148.2), 10: (9.8, 102.0), 20: (13.6, 73.4), 60: (28.9, 34.6), 125: (53.7, 18.6)}),
    115200: (1.750, {1: (4.9, 202.7), 2: (5.1, 195.2), 10: (6.7, 150.4), 20: (8.6, 116.8), 60: (16.2, 61.7), 125: (28.6, 34.9)}),
}  # fmt: skip
ROUNDED = 0.05 + 1e-9
"""The cells have one decimal; 13.75 ms is printed 13.7."""
WITH_30_MS = {2400: 4.7, 4800: 8.2, 9600: 13.2, 19200: 18.9, 38400: 23.3, 57600: 25.1, 115200: 27.3}


@pytest.mark.parametrize("baud", TABLE)
def test_a_request_takes_the_time_the_table_of_modbus_timing_gives(baud: int) -> None:
    silence, cells = TABLE[baud]
    cost = serial(baud)
    assert f"{cost.silence * 1000:.3f}" == f"{silence:.3f}"
    for count, (milliseconds, polls) in cells.items():
        block = Block(Table.HOLDING, 0, count, ())
        request = request_of(block, cost)
        assert request.bytes == 8 + 5 + 2 * count
        assert request.seconds * 1000 == pytest.approx(milliseconds, abs=ROUNDED)
        assert 1 / request.seconds == pytest.approx(polls, abs=ROUNDED)
        assert request.seconds == pytest.approx(cost.seconds(block.data))
    ten = request_of(Block(Table.HOLDING, 0, 10, ()), serial(baud, 0.03))
    assert 1 / ten.seconds == pytest.approx(WITH_30_MS[baud], abs=ROUNDED)


def test_the_budget_example_of_thirty_two_detectors() -> None:
    asked = request_of(Block(Table.HOLDING, 0, 10, ("lel",)), serial(9600, 0.03))
    found = budget([Load(f"g{i}", (asked,), 5.0, alarm=True) for i in range(32)])
    assert found.round == pytest.approx(2.4, abs=0.05)
    assert found.utilisation == pytest.approx(found.round / 5)
    assert found.alarm_scan == 5.0
    assert found.of("g3") == pytest.approx(found.utilisation / 32)
    overfull = budget([Load(f"g{i}", (asked,), 1.0, alarm=True) for i in range(32)])
    assert overfull.utilisation > 1
    assert overfull.alarm_scan == pytest.approx(2.4, abs=0.05)


def test_a_hole_is_read_along_exactly_while_it_is_cheaper_than_a_request() -> None:
    for baud, turnaround in itertools.product((2400, 9600, 115200), (0.0, 0.005, 0.03, 0.2)):
        cost = serial(baud, turnaround)
        worth = int(
            cost.request / (2 * cost.byte) + 1e-9
        )  # registers whose bytes cost no more than a request
        worth = min(worth, 120)
        assert spans(plan(at(0, worth + 1), cost)) == [(0, worth + 2)]
        if worth < 120:
            assert spans(plan(at(0, worth + 2), cost)) == [(0, 1), (worth + 2, 1)]


def test_a_slow_line_splits_where_a_fast_device_bridges() -> None:
    points = at(0, 20)
    assert len(plan(points, serial(2400, 0.0))) == 2
    assert len(plan(points, serial(115200, 0.03))) == 1
    assert len(plan(points, TCP)) == 1


def test_no_block_is_longer_than_the_device_or_the_protocol_takes() -> None:
    points = at(*range(300))
    assert all(b.count <= 125 for b in plan(points, TCP))
    assert len(plan(points, TCP)) == 3
    assert all(b.count <= 10 for b in plan(points, TCP, Limits(max_registers=10)))
    assert len(plan(points, TCP, Limits(max_registers=10))) == 30
    bits = at(0, 1999, 2000, table="coil", kind=PointType.BOOL)
    assert all(b.count <= 2000 for b in plan(bits, TCP))
    assert len(plan(bits, TCP)) == 2


def test_a_value_of_several_registers_is_never_torn() -> None:
    points = {f"p{a}": Point(f"holding:{a}", PointType.FLOAT64) for a in range(0, 40, 4)}
    for block in plan(points, TCP, Limits(max_registers=10)):
        assert block.count % 4 == 0


def test_tables_are_read_apart_and_alarm_points_in_front() -> None:
    points = at(0, 1, 2) | {"c": Point("coil:0", PointType.BOOL), "i": Point("input:1", PointType.UINT16)}
    blocks = plan(points, TCP, first={"p2", "i"})
    assert [b.points for b in blocks] == [("p2",), ("i",), ("c",), ("p0", "p1")]
    assert [b.table for b in blocks] == [Table.HOLDING, Table.INPUT, Table.COIL, Table.HOLDING]


def test_registers_nobody_names_can_be_left_alone() -> None:
    assert spans(plan(at(0, 2), TCP, Limits(bridge=False))) == [(0, 1), (2, 1)]


def test_points_that_are_only_written_are_not_read() -> None:
    points = at(0) | {"reset": Point("holding:1", PointType.UINT16, readable=False)}
    assert [b.points for b in plan(points, TCP)] == [("p0",)]


POINTS = st.sets(st.integers(0, 90), min_size=1, max_size=14).map(lambda addresses: at(*addresses))
COSTS = st.sampled_from([TCP, serial(2400), serial(9600), serial(9600, 0.03), serial(115200, 0.001)])
LIMITS = st.sampled_from([Limits(), Limits(max_registers=8), Limits(bridge=False)])


@given(POINTS, COSTS, LIMITS)
def test_every_point_is_read_once_and_the_plan_costs_least(
    points: Mapping[str, Point], cost: Cost, limits: Limits
) -> None:
    blocks = plan(points, cost, limits)
    assert sorted(name for b in blocks for name in b.points) == sorted(points)
    for block in blocks:
        assert block.count <= limits.max_registers
        assert all(block.start <= points[n].address < block.start + block.count for n in block.points)
    if len(points) <= 7:
        assert sum(cost.seconds(b.data) for b in blocks) == pytest.approx(cheapest(points, cost, limits))


def cheapest(points: Mapping[str, Point], cost: Cost, limits: Limits) -> float:
    """Try every way to cut the row: slow and plain."""
    row = sorted(point.address for point in points.values())
    prices = []
    for cuts in itertools.product((False, True), repeat=len(row) - 1):
        pieces, piece = [], [row[0]]
        for address, cut in zip(row[1:], cuts, strict=True):
            if cut:
                pieces.append(piece)
                piece = []
            piece.append(address)
        pieces.append(piece)
        lengths = [p[-1] - p[0] + 1 for p in pieces]
        dense = limits.bridge or all(n == len(p) for n, p in zip(lengths, pieces, strict=True))
        if dense and max(lengths) <= limits.max_registers:
            prices.append(sum(cost.seconds(2 * n) for n in lengths))
    return min(prices)


class PickyDevice:
    """Answers only what it has, and no more registers at a time than it can."""

    def __init__(self, has: set[int], most: int = 125) -> None:
        self.has, self.most = has, most
        self.refusals = 0

    def answers(self, block: Block) -> bool:
        wanted = set(range(block.start, block.start + block.count))
        ok = wanted <= self.has and block.count <= self.most
        self.refusals += not ok
        return ok


def cycle(device: PickyDevice, lessons: Lessons, points: Mapping[str, Point]) -> set[str]:
    """One poll as a device does it; return the points that came."""
    got: set[str] = set()
    todo = plan(points, TCP, known=lessons.known)
    while todo:
        block = todo.pop(0)
        if device.answers(block):
            lessons.answered(block)
            got.update(block.points)
        else:
            todo[:0] = lessons.refused(block)
    return got


@given(
    st.sets(st.integers(0, 60), min_size=1, max_size=12),
    st.sets(st.integers(0, 60), max_size=10),
    st.sets(st.integers(0, 60), max_size=3),
    st.sampled_from([125, 12, 4, 1]),
)
def test_a_device_with_forbidden_registers_heals_and_stays_healed(
    addresses: set[int], forbidden: set[int], missing: set[int], most: int
) -> None:
    points = at(*addresses)
    device = PickyDevice(set(range(61)) - (forbidden - addresses) - missing, most)
    lessons = Lessons(points)
    there = {f"p{a}" for a in addresses - missing}
    for _ in range(len(points) + 2):
        assert cycle(device, lessons, points) == there  # complete even in the cycle that learns
    device.refusals = 0
    assert cycle(device, lessons, points) == there
    assert device.refusals == 0
    assert set(refused(points, lessons.known)) == {f"p{a}" for a in addresses & missing}


def test_a_device_that_forgets_nothing_keeps_being_refused() -> None:
    """Control: without lessons the same device is refused in every cycle."""
    points, device = at(0, 5, 9), PickyDevice({0, 5, 9, 6, 7, 8})
    for expected in (1, 2, 3):
        cycle(device, Lessons(points), points)
        assert device.refusals == expected


def test_one_refusal_is_enough_for_one_forbidden_hole() -> None:
    points, device = at(0, 1, 6, 9), PickyDevice({0, 1, *range(6, 10)})
    lessons = Lessons(points)
    cycle(device, lessons, points)
    assert device.refusals == 1
    assert lessons.known == Known(cuts=frozenset({(Table.HOLDING, 6)}))
    assert spans(plan(points, TCP, known=lessons.known)) == [(0, 2), (6, 4)]


def test_an_innocent_hole_is_bridged_again() -> None:
    points = at(0, 20, 23)  # the wide hole is readable, the narrow one is not
    device = PickyDevice(set(range(24)) - {22})
    lessons = Lessons(points)
    cycle(device, lessons, points)
    assert spans(plan(points, TCP, known=lessons.known)) == [(0, 21), (23, 1)]


def test_an_absent_point_is_asked_for_again_when_told_so() -> None:
    points = at(0, 1)
    lessons = Lessons(points)
    cycle(PickyDevice({0}), lessons, points)
    assert refused(points, lessons.known) == ("p1",)
    lessons.again()
    assert refused(points, lessons.known) == ()
    assert cycle(PickyDevice({0, 1}), lessons, points) == {"p0", "p1"}
    assert Known() == NOTHING
