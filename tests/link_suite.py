"""The suite every link runs through. A link's test module subclasses `LinkSuite` and gives it a `rig`."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Protocol

import pytest
from memory_lane import MemoryLane

from gateway.store.records import Lane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gateway.links.link import Link

Arrived = tuple[str, int, int]
"""Lane, epoch and seq of a record as the far end saw it."""


class Rig(Protocol):
    """One kind of link with its far end, which the tests may break."""

    lanes: dict[str, MemoryLane]
    link: Link

    def arrived(self) -> list[Arrived]:
        """All records the far end has seen, in order, repetitions too."""

    async def receipt(self, lane: str, epoch: int, first: int, last: int) -> None:
        """The far end confirms records for good."""

    async def cut(self) -> None:
        """The far end goes away without a word; what it had not confirmed it has forgotten."""

    async def mend(self) -> None:
        """The far end is back."""


def payload(lane: str, seq: int) -> bytes:
    return b"{}" if lane == "alarm" else b"gas,device=d p=1 %d" % seq


def fill(rig: Rig, lane: str, count: int) -> None:
    for seq in range(count):
        rig.lanes[lane].append(payload(lane, seq))


async def until(what: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until it is true; fail after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            while not what():  # noqa: ASYNC110  it looks at other people's state
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"not within {seconds:.0f} s")


@contextlib.asynccontextmanager
async def running(link: Link) -> AsyncIterator[None]:
    """Run the link; it must end in time when it is cancelled."""
    task = asyncio.create_task(link.run())
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        async with asyncio.timeout(5):
            with contextlib.suppress(asyncio.CancelledError):
                await task


class LinkSuite:
    """What every link promises, whatever it speaks."""

    async def test_what_is_stored_arrives(self, rig: Rig) -> None:
        fill(rig, "alarm", 3)
        async with running(rig.link):
            await until(lambda: len(rig.arrived()) == 3)
            rig.lanes["alarm"].append(b"{}")
            await until(lambda: ("alarm", 1, 4) in rig.arrived())

    async def test_nothing_is_given_back_without_a_receipt(self, rig: Rig) -> None:
        fill(rig, "alarm", 3)
        async with running(rig.link):
            await until(lambda: len(rig.arrived()) == 3)
            await asyncio.sleep(0.3)
            assert len(rig.lanes["alarm"].records) == 3
            assert rig.lanes["alarm"].confirms == []

    async def test_a_receipt_gives_back_exactly_what_it_names(self, rig: Rig) -> None:
        fill(rig, "alarm", 5)
        async with running(rig.link):
            await until(lambda: len(rig.arrived()) == 5)
            await rig.receipt("alarm", 1, 2, 3)
            await until(lambda: list(rig.lanes["alarm"].records) == [(1, 1), (1, 4), (1, 5)])

    async def test_receipts_out_of_order_doubled_and_foreign_do_no_harm(self, rig: Rig) -> None:
        fill(rig, "alarm", 4)
        async with running(rig.link):
            await until(lambda: len(rig.arrived()) == 4)
            for epoch, seq in ((1, 4), (1, 2), (1, 4), (9, 1), (1, 77), (1, 1)):
                await rig.receipt("alarm", epoch, seq, seq)
            await until(lambda: list(rig.lanes["alarm"].records) == [(1, 3)])
            rig.lanes["alarm"].append(b"{}")
            await until(lambda: ("alarm", 1, 5) in rig.arrived())

    async def test_after_a_loss_all_without_receipt_is_sent_again(self, rig: Rig) -> None:
        fill(rig, "alarm", 4)
        async with running(rig.link):
            await until(lambda: len(rig.arrived()) == 4)
            await rig.receipt("alarm", 1, 1, 2)
            await until(lambda: len(rig.lanes["alarm"].records) == 2)
            await rig.cut()
            before = len(rig.arrived())
            rig.lanes["alarm"].append(b"{}")
            await rig.mend()
            wanted = {("alarm", 1, 3), ("alarm", 1, 4), ("alarm", 1, 5)}
            await until(lambda: set(rig.arrived()[before:]) >= wanted)
            assert ("alarm", 1, 1) not in rig.arrived()[before:]

    async def test_an_alarm_overtakes_the_backlog(self, rig: Rig) -> None:
        if "telemetry" not in rig.lanes:
            pytest.skip("this link carries alarms only")
        fill(rig, "telemetry", 5000)
        async with running(rig.link):
            await until(lambda: len(rig.arrived()) > 5)
            rig.lanes["alarm"].append(b"{}")
            await until(lambda: ("alarm", 1, 1) in rig.arrived(), seconds=2)
            assert len(rig.arrived()) < 100, "no receipt came, so little may be under way"

    async def test_the_state_tells_whether_it_works(self, rig: Rig) -> None:
        assert not rig.link.state().connected
        async with running(rig.link):
            await until(lambda: rig.link.state().connected)
            fill(rig, "alarm", 2)
            await until(lambda: rig.link.state().lanes["alarm"].backlog == 2)
            await rig.cut()
            await until(lambda: not rig.link.state().connected)
            assert rig.link.state().why
            await rig.mend()
            await until(lambda: rig.link.state().connected)

    async def test_it_starts_while_the_far_end_is_away(self, rig: Rig) -> None:
        await rig.cut()
        fill(rig, "alarm", 1)
        async with running(rig.link):
            await asyncio.sleep(0.3)
            assert not rig.link.state().connected
            await rig.mend()
            await until(rig.arrived)


def lanes(*names: str) -> dict[str, MemoryLane]:
    return {name: MemoryLane(Lane(name)) for name in names}
