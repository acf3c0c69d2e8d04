"""One pair of wires with devices of several rates: who understands whom."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from playing import played, serial_line, unit

from drivers.modbus import pdu
from drivers.simulator.bus import Bus
from drivers.simulator.faults import Babble, FaultError
from drivers.simulator.modbus import RTU
from drivers.simulator.pair import Pair, Party
from drivers.simulator.script import Join, ScriptError, parse_entry

if TYPE_CHECKING:
    from pathlib import Path

ASK = {n: pdu.read(n, 3, 0, 1).rtu for n in (17, 18)}


def pair(*, strict: bool = True) -> Pair:
    slow = Bus([unit("slow", 17)], RTU, random.Random(1))
    fast = Bus([unit("fast", 18)], RTU, random.Random(1))
    return Pair([Party(slow, 2400, "even"), Party(fast, 9600, "none")], strict=strict)


@pytest.mark.parametrize(
    ("baud", "parity", "answers"),
    [
        (2400, "even", {17}),
        (9600, "none", {18}),
        (2400, "none", set()),
        (9600, "even", set()),
        (4800, "none", set()),
    ],
)
def test_only_who_is_set_like_the_master_answers(baud: int, parity: str, answers: set[int]) -> None:
    both = pair()
    both.tune(baud, parity)
    assert {n for n, ask in ASK.items() if both.hear_frame(ask, 1.0)} == answers


def test_a_line_of_its_own_is_set_as_its_master_is() -> None:
    both = pair(strict=False)
    both.tune(1200, "odd")
    assert {n for n, ask in ASK.items() if both.hear_frame(ask, 1.0)} == {17, 18}


def test_what_is_wrong_with_one_line_is_wrong_with_the_pair() -> None:
    both = pair()
    both._parties[1].bus.faults["babble"] = Babble(10)
    assert "babble" in both.faults


@pytest.mark.parametrize(
    "entry",
    [
        {"join": []},
        {"join": "a"},
        {"join": ["a", 1]},
        {"join": ["a"], "serial": "here"},
        {"join": ["a"], "at": "1s"},
    ],
)
def test_a_join_that_makes_no_sense_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(ScriptError):
        parse_entry(entry)


def test_a_join_names_lines_and_where_the_pair_is() -> None:
    assert parse_entry({"join": ["a", "b"], "serial": "/tmp/p"}) == Join(("a", "b"), "/tmp/p")


@pytest.mark.parametrize("names", [("nosuch",), ("rs485-1", "rs485-1")])
async def test_lines_that_cannot_be_joined_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    joins = [Join((name,)) for name in names]
    with pytest.raises(FaultError, match="join"):
        async with played(serial_line(tmp_path / "p"), [unit()], joins):
            pass
