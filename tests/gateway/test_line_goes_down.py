"""A line of sixty goes down: one message outside, sixty suppressed faults inside, and nothing leaks afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flood import DEVICES, Street

from gateway.model import EventKind, Quality
from rules.desk import Tree

if TYPE_CHECKING:
    from pathlib import Path

LINE = "line.bus/line-down"
WAYS = {"the port is gone": Quality.LINE_DOWN, "nobody answers": Quality.NO_ANSWER}


@pytest.mark.parametrize("way", WAYS)
async def test_sixty_devices_are_one_message(way: str, tmp_path: Path) -> None:
    street = Street()
    async with street.start(tmp_path):
        street.values["gas-07"] = 40.0
        await street.live(20)
        assert street.outside() == ["raise gas-07/lel-high"]
        gas = [(v.occurrence, v.letter, v.level) for v in street.rows("B")]
        street.mute = dict.fromkeys(DEVICES, WAYS[way])
        await street.live(300)
        assert street.outside() == [f"raise {LINE}"]
        assert {(v.device, v.rule) for v in street.rows("H")} == {(name, "stale") for name in DEVICES}
        assert all(v.active and not v.raised for v in street.rows("H"))
        assert street.desk.roots.affects(("line.bus", "line-down")) == 60
        assert [(v.occurrence, v.letter, v.level) for v in street.rows("B") if v.rule == "lel-high"] == gas
        street.mute = {}
        await street.live(300)
        assert street.outside() == [f"clear {LINE}"]
        assert street.rows("H") == []
        assert [(v.occurrence, v.letter, v.level) for v in street.rows("B")] == gas
        said = [
            (n.person, n.kind, n.alarms[0].split("/")[0]) for n in street.desk.notices.outbox.notices.values()
        ]
        line = [(person, kind) for person, kind, device in said if device == "line.bus"]
        assert line == [("maintenance", "raise"), ("maintenance", "clear")]
        assert {device for _, _, device in said} == {"gas-07", "line.bus"}, "nobody hears of the sixty"
    last = {(e.device, e.rule): e.kind for e in street.happened}
    assert {last[name, "stale"] for name in DEVICES} == {EventKind.UNSUPPRESS}, "what was hidden ended inside"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("killed_after", [3, 20, 33, 120])
async def test_kills_leak_nothing(way: str, killed_after: int, tmp_path: Path) -> None:
    street = Street()
    async with street.start(tmp_path):
        await street.live(20)
        street.mute = dict.fromkeys(DEVICES, WAYS[way])
        await street.live(killed_after)
    for _ in range(2):
        street.clock.advance(5)
        async with street.start(tmp_path):
            await street.live(60)
    async with street.start(tmp_path):
        assert street.outside() == [f"raise {LINE}"]
        assert len(street.rows("H")) == 60
        street.mute = {}
        await street.live(4)
    async with street.start(tmp_path):
        await street.live(100)
        assert street.outside() == [f"clear {LINE}"]
        assert street.rows("H") == []


async def test_without_a_known_root_it_is_sixty_messages(tmp_path: Path) -> None:
    """The control."""
    street = Street()
    street.tree = Tree({}, {"line.bus": ("line.bus", "line-down")})
    async with street.start(tmp_path):
        await street.live(5)
        street.mute = dict.fromkeys(DEVICES, Quality.NO_ANSWER)
        await street.live(60)
        assert len(street.outside()) == 60


async def test_one_that_does_not_come_back_with_the_others_speaks_for_itself(tmp_path: Path) -> None:
    street = Street()
    async with street.start(tmp_path):
        street.mute = dict.fromkeys(DEVICES, Quality.NO_ANSWER)
        await street.live(60)
        street.outside()
        street.mute = {"gas-03": Quality.NO_ANSWER}
        await street.live(8)
        assert street.outside() == [], "within the grace nothing is said"
        await street.live(20)
        assert sorted(street.outside()) == [f"clear {LINE}", "raise gas-03/stale"]
        street.mute = {}
        await street.live(10)
        assert street.outside() == ["clear gas-03/stale"]


async def test_a_fault_told_before_still_gets_its_clear(tmp_path: Path) -> None:
    street = Street()
    async with street.start(tmp_path):
        street.mute = {"gas-03": Quality.NO_ANSWER}
        await street.live(60)
        assert street.outside() == ["raise gas-03/stale"]
        street.mute = dict.fromkeys(DEVICES, Quality.LINE_DOWN)
        await street.live(60)
        assert street.outside() == [f"raise {LINE}"]
        street.mute = {}
        await street.live(3)
        assert street.outside() == ["clear gas-03/stale"], "creation is suppressed, resolution never"


async def test_a_gas_alarm_of_a_line_that_fails_is_told_at_once(tmp_path: Path) -> None:
    """Most devices are silent; one that still answers smells gas."""
    street = Street()
    async with street.start(tmp_path):
        street.mute = dict.fromkeys(DEVICES[:50], Quality.NO_ANSWER)
        await street.live(60)
        assert street.outside() == [f"raise {LINE}"]
        street.values["gas-59"] = 60.0
        await street.live(1)
        assert street.outside() == ["raise gas-59/lel-high"]


async def test_devices_that_die_one_by_one_are_no_line(tmp_path: Path) -> None:
    street = Street()
    async with street.start(tmp_path):
        for name in DEVICES[:35]:
            street.mute[name] = Quality.NO_ANSWER
            await street.live(40)
        assert LINE not in " ".join(street.outside())
        assert street.rows("H") == []


async def test_notices_are_on_disk_with_the_events_that_caused_them(tmp_path: Path) -> None:
    """Killed at once: what was to be told is still to be told, once."""
    street = Street()
    async with street.start(tmp_path):
        street.values["gas-07"] = 40.0
        await street.live(2)
        first = {n.id: (n.person, n.kind) for n in street.desk.notices.outbox.notices.values()}
        assert ("community_duty", "raise") in first.values()
    async with street.start(tmp_path):
        await street.live(5)
        again = {n.id: (n.person, n.kind) for n in street.desk.notices.outbox.notices.values()}
        assert again == first
        assert len(street.desk.notices.climbs) == 1
