"""Which requests read a set of items cheapest, what a profile may call an item, and how a meter is addressed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dlt645.frame import Edition
from drivers.dlt645.identifiers import block_of
from drivers.dlt645.items import FAMILY, Di, address, check_item, check_write, di_of, overlap
from drivers.dlt645.plan import RELEARN, Cost, Lessons, plan

SLOW = Cost(11 / 2400, 0.02)
FAST = Cost(11 / 115200, 0.0, 0.0)
UA, UB, UC = (Di(0x02010000 + 256 * n, Edition.Y2007) for n in (1, 2, 3))
BLOCK = Di(0x0201FF00, Edition.Y2007)
OLD = Di(0xB611, Edition.Y1997)


def test_likes_are_asked_for_together_and_singles_alone() -> None:
    reads = plan([UA, UC, OLD], SLOW)
    assert [(str(r.di), r.members) for r in reads] == [
        ("0201FF00", ((UA, 0), (UC, 2))),
        ("B611", ((OLD, 0),)),
    ]
    assert [str(r.di) for r in plan([UA], SLOW)] == ["02010100"]


def test_the_total_and_the_phases_have_their_places() -> None:
    power = [Di(0x02030000 + 256 * n, Edition.Y2007) for n in range(4)]
    assert plan(power, SLOW)[0].members == tuple((di, n) for n, di in enumerate(power))
    tariff = block_of(0x00010300)
    assert tariff is not None
    assert (tariff.di, tariff.at) == (0x0001FF00, 3)
    assert block_of(0x02800002) is None
    assert block_of(0x0201FF00) is None


def test_a_block_that_brings_little_and_costs_much_is_not_asked_for() -> None:
    dear = Cost(1.0, 0.0, 0.0)  # only bytes count: 40 of them for a request without data
    energies = [Di(0x00010000, Edition.Y2007), Di(0x00010100, Edition.Y2007)]
    assert [str(r.di) for r in plan(energies, dear)] == ["0001FF00"]
    free = Cost(0.0, 0.0, 0.0)
    assert [str(r.di) for r in plan(energies, free)] == ["00010000", "00010100"]


def test_what_was_refused_is_left_out_and_a_refused_block_asked_singly() -> None:
    assert [str(r.di) for r in plan([UA, UB], SLOW, frozenset({BLOCK}))] == ["02010100", "02010200"]
    assert [str(r.di) for r in plan([UA, UB, UC], SLOW, frozenset({UB}))] == ["0201FF00"]
    assert [str(r.di) for r in plan([UA, UB], SLOW, blocks=False)] == ["02010100", "02010200"]


@given(st.lists(st.sampled_from([UA, UB, UC, OLD, Di(0x02800002, Edition.Y2007)])), st.booleans())
def test_every_wanted_item_is_brought_by_exactly_one_request(wanted: list[Di], blocks: bool) -> None:
    brought = [di for read in plan(wanted, SLOW, blocks=blocks) for di, _ in read.members]
    assert sorted(brought) == sorted(set(wanted))


def test_a_refusal_is_remembered_for_an_hour_or_until_the_meter_was_away() -> None:
    lessons = Lessons()
    lessons.learn(BLOCK, 10.0)
    lessons.forget(10.0 + RELEARN, away=False)
    assert lessons.refused == {BLOCK}
    lessons.forget(10.1 + RELEARN, away=False)
    assert lessons.refused == set()
    lessons.learn(UA, 0.0)
    lessons.forget(1.0, away=True)
    assert lessons.refused == set()


# --- names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", ["02010100", "00010000", "B611", "9010", "04000503", "relay"])
def test_a_known_identifier_is_an_item(item: str) -> None:
    assert check_item(item) == ""
    assert di_of(item).how is not None


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ("0201FF00", "stands for several values"),
        ("02010900", "nobody here knows"),
        ("0201010", "8 capital hex digits"),
        ("0x02010100", "8 capital hex digits"),
        ("02010l00", "8 capital hex digits"),
        ("", "8 capital hex digits"),
    ],
)
def test_another_is_refused_with_what_would_be_right(item: str, why: str) -> None:
    assert why in check_item(item)


def test_only_the_relay_takes_orders() -> None:
    assert check_write("relay") == ""
    assert "only the relay" in check_write("02010100")
    assert not FAMILY.has_registers


@pytest.mark.parametrize(
    ("given_", "true"),
    [
        (161, "000000000161"),
        ("161", "000000000161"),
        ("000000000161", "000000000161"),
        (202600000161, "202600000161"),
        ("aaaaaaaaaaaa", "A" * 12),
        ("AAAAAAAA0161", "AAAAAAAA0161"),
        (0, "0" * 12),
    ],
)
def test_an_address_is_filled_to_twelve_digits(given_: int | str, true: str) -> None:
    assert address(given_) == true


@pytest.mark.parametrize(
    "given_", [-1, 10**12, "1.23457E+11", "AAA000000161", "0161AAAAAAAA", "", "999999999999", "²", "0x161"]
)
def test_what_is_no_address_of_one_meter_is_refused(given_: int | str) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        address(given_)


def test_a_wildcard_overlaps_with_every_address_it_reaches() -> None:
    assert overlap("A" * 12, "000000000161")
    assert overlap("AAAAAAAA0161", "202600000161")
    assert not overlap("AAAAAAAA0161", "202600000162")
    assert not overlap("000000000161", "000000000162")
