"""Orders: refused without a byte on the wire, done once, answered always."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from clock import FakeClock
from small_gateway import SITE, Running

from gateway.commands import LONGEST, REMEMBERED
from gateway.model import Answer, Command, Outcome
from gateway.poller import Poller
from gateway.rate import Rate
from gateway.remembered import Remembered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.entry import Device

pytestmark = pytest.mark.alone  # a late answer on a busy machine is asked for again, and those are bytes too

# Slow polls, and time to answer them: what goes over the wire in a test is the order, or nothing.
QUIET = SITE.replace("every: 100ms", "every: 1h").replace("timeout: 200ms", "timeout: 5s")
IDS = itertools.count()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("gw"), QUIET) as gateway:
        gateway.wait(lambda: gateway.gateway.pipeline.counts.samples >= 1)
        poller = gateway.gateway.pollers["plant"][0]
        assert isinstance(poller, Poller)
        poller.schedule.take = lambda _now: None  # type: ignore[method-assign, assignment]  # no polls from now on
        gateway.do(poller.command("box-1", nothing))  # when this is over, no poll is under way
        yield gateway


async def nothing(_: Device) -> None:
    """An order that sends nothing."""


def order(running: Running, lasts: float = 10.0, **changed: Any) -> Command:
    fields: dict[str, Any] = {
        "id": f"o{next(IDS)}",
        "device": "box-1",
        "point": "limit",
        "value": 20.0,
        "actor": "w",
    }
    return Command(**(fields | changed), expires=running.gateway.api.clock.mono() + lasts)


def execute(running: Running, *orders: Command) -> list[Answer]:
    async def together() -> list[Answer]:
        return await asyncio.gather(*map(running.gateway.api.commands.execute, orders))

    return running.do(together())


REFUSED: list[tuple[dict[str, Any], Outcome]] = [
    ({"device": "nosuch"}, Outcome.UNKNOWN),
    ({"point": "nosuch"}, Outcome.UNKNOWN),
    ({"point": "lel"}, Outcome.REFUSED),
    ({"device": "box-2"}, Outcome.REFUSED),
    ({"lasts": 0.0}, Outcome.EXPIRED),
    ({"lasts": -5.0}, Outcome.EXPIRED),
    ({"lasts": LONGEST + 1}, Outcome.REFUSED),
    ({"lasts": math.nan}, Outcome.REFUSED),
    ({"lasts": math.inf}, Outcome.REFUSED),
    ({"value": 60.1}, Outcome.REFUSED),
    ({"value": -0.1}, Outcome.REFUSED),
    ({"value": math.nan}, Outcome.REFUSED),
    ({"value": math.inf}, Outcome.REFUSED),
    ({"value": 10**400}, Outcome.REFUSED),
    ({"value": "open"}, Outcome.REFUSED),
    ({"value": "x" * 1000}, Outcome.REFUSED),
    ({"value": True}, Outcome.REFUSED),
    ({"value": None}, Outcome.REFUSED),
    ({"value": [1]}, Outcome.REFUSED),
    ({"value": {"a": 1}}, Outcome.REFUSED),
]


@pytest.mark.parametrize(("changed", "outcome"), REFUSED, ids=[f"{c} {o}"[:60] for c, o in REFUSED])
def test_a_refused_order_puts_no_byte_on_the_wire(
    running: Running, changed: dict[str, Any], outcome: Outcome
) -> None:
    before = running.wire()
    (answer,) = execute(running, order(running, **changed))
    assert answer.outcome is outcome
    assert answer.reason
    assert running.wire() == before


def test_an_order_is_done_and_read_back(running: Running) -> None:
    before = running.wire()
    (answer,) = execute(running, order(running, value=12.5))
    assert (answer.outcome, answer.data) == (Outcome.DONE, {"value": 12.5})
    assert running.wire() == before + 2


def test_an_id_that_comes_again_is_done_once_and_gets_the_first_answer(running: Running) -> None:
    once = order(running, value=33.0)
    (first,) = execute(running, once)
    before = running.wire()
    assert execute(running, once, once) == [first, first]
    assert running.wire() == before


def test_an_id_that_comes_twice_at_the_same_time_is_done_once(running: Running) -> None:
    before = running.wire()
    once = order(running, value=34.0)
    first, second = execute(running, once, once)
    assert first == second
    assert first.outcome is Outcome.DONE
    assert running.wire() == before + 2


def test_an_id_is_not_good_for_another_order(running: Running) -> None:
    execute(running, order(running, id="mine", value=10.0))
    before = running.wire()
    (answer,) = execute(running, order(running, id="mine", value=50.0))
    assert answer.outcome is Outcome.CONFLICT
    assert running.wire() == before


def test_an_order_is_done_though_the_one_who_gave_it_hung_up(running: Running) -> None:
    before = running.wire()

    async def hang_up() -> None:
        task = asyncio.ensure_future(running.gateway.api.commands.execute(order(running, value=41.0)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    running.do(hang_up())
    running.wait(lambda: running.wire() == before + 2)


def test_while_every_remembered_order_is_valid_no_other_is_taken(running: Running) -> None:
    commands = running.gateway.api.commands
    kept = dict(commands._seen)
    done: asyncio.Future[Answer] = running.do(_answered())
    try:
        for n in range(REMEMBERED):
            commands._seen[f"full{n}"] = type(next(iter(kept.values())))(order(running, lasts=50.0), done)
        (answer,) = execute(running, order(running))
        assert answer.outcome is Outcome.FAILED
        for n in range(REMEMBERED):
            commands._seen[f"full{n}"] = type(next(iter(kept.values())))(order(running, lasts=-1.0), done)
        (answer,) = execute(running, order(running))
        assert answer.outcome is Outcome.DONE
        assert len(commands._seen) < REMEMBERED
    finally:
        commands._seen.clear()


async def _answered() -> asyncio.Future[Answer]:
    future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    future.set_result(Answer("", Outcome.DONE))
    return future


def test_an_order_to_a_lost_device_fails_without_a_byte(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Running(tmp_path_factory.mktemp("lost")) as running:
        running.wait(lambda: running.gateway.pipeline.counts.samples >= 4)
        running.do(running.simulation.fault("box-1", "silent"))
        running.wait(lambda: running.daemon.get("/devices/box-1")["state"] == "lost")
        unit = running.gateway.pollers["plant"][1].stats.units[1]

        def quietly() -> bool:
            before = unit.requests
            (answer,) = execute(running, order(running))
            assert answer.outcome is Outcome.FAILED
            return unit.requests == before  # else a probe was under way just then

        assert running.wait(quietly)


def test_people_may_not_write_too_often_and_the_interlocks_may() -> None:
    rate, place = Rate(pause=2.0, per_hour=3), ("v", "valve")
    for n in range(3):
        assert rate.wait(place, 10.0 * n) == 0
        rate.note(place, 10.0 * n, automatic=False)
    assert rate.wait(place, 21.0) == pytest.approx(3579)
    assert rate.wait(("v", "other"), 21.0) == 0
    rate.note(place, 3000.0, automatic=True)
    assert rate.wait(place, 3601.0) == 0, "what an interlock wrote does not count for people"
    rate.note(place, 3601.0, automatic=True)
    assert rate.wait(place, 3602.0) == pytest.approx(1), "but nobody writes right behind it"


class Disk:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.states: dict[str, Any] = {}
        self.written = 0

    async def keep(self, states: list[tuple[tuple[str, str], Any]]) -> None:
        self.written += 1
        for (_, name), data in states:
            if data is None:
                del self.states[name]
            else:
                self.states[name] = json.loads(json.dumps(data))


async def test_an_order_is_on_disk_before_it_is_done_and_gone_when_it_has_ended() -> None:
    disk, clock = Disk(), FakeClock()
    command = Command("a", "v", "valve", "closed", clock.mono() + 30, "w")
    memory = Remembered(disk.keep, {}, clock, LONGEST)
    await memory.begin(command)
    # Killed here: nobody knows whether the valve has moved.
    after = Remembered(disk.keep, disk.states, clock, LONGEST)
    answer = after.answer(command)
    assert answer is not None
    assert answer.outcome is Outcome.CONFLICT
    await memory.end(command, Answer("a", Outcome.DONE, data={"value": "closed"}))
    after = Remembered(disk.keep, disk.states, clock, LONGEST)
    assert after.answer(command) == Answer("a", Outcome.DONE, data={"value": "closed"})
    other = Command("a", "v", "valve", "open", clock.mono() + 30, "w")
    assert (found := after.answer(other)) is not None
    assert found.outcome is Outcome.CONFLICT
    clock.advance(LONGEST + 1)
    await after.begin(Command("b", "v", "valve", "closed", clock.mono() + 30, "w"))
    assert set(disk.states) == {"b"}
