from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BadAnswer, Held, LineDown, NoAnswer, Refused
from gateway.clock import SystemClock
from gateway.liveness import State, Timing
from gateway.model import Quality, Sample, Value
from gateway.orders import WAITING, Busy, Expired
from gateway.poller import Polled, Poller
from gateway.turns import Group, groups

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from gateway.model import Instant

QUICK = Timing(
    timeout=0.02,
    retry=0.02,
    retry_share=1.0,
    probe_first=0.05,
    probe_limit=0.1,
    probe_share=0.5,
    blind_limit=0.05,
)


class ScriptedDevice:
    """A device that answers what its script says: a number, or an error to raise."""

    def __init__(self, name: str, takes: float = 0.001) -> None:
        self.name = name
        self.takes = takes
        self.error: Exception | None = None
        self.asked: list[tuple[str, ...]] = []
        self.written: list[tuple[str, Value]] = []
        self.at_once = 0

    async def read(self, points: tuple[str, ...]) -> tuple[dict[str, Value], dict[str, Quality]]:
        self.asked.append(points)
        self.at_once += 1
        assert self.at_once == 1, "asked twice at once"
        try:
            await asyncio.sleep(self.takes)
        finally:
            self.at_once -= 1
        if self.error is not None:
            raise self.error
        return dict.fromkeys(points, float(len(self.asked))), {}

    async def write(self, point: str, value: Value) -> Value:
        self.at_once += 1
        assert self.at_once == 1, "written while being read"
        await asyncio.sleep(self.takes)
        self.at_once -= 1
        self.written.append((point, value))
        if self.error is not None:
            raise self.error
        return value


class ScriptedLine:
    def __init__(self) -> None:
        self.is_open = False
        self.opened = 0
        self.error: LineDown | None = None

    async def open(self) -> None:
        self.opened += 1
        if self.error is not None:
            raise self.error
        self.is_open = True

    async def ready(self) -> None:
        while self.error is not None:  # noqa: ASYNC110  # a script sets it at any time
            await asyncio.sleep(0.01)
        self.is_open = True

    async def close(self) -> None:
        self.is_open = False


class Rig:
    def __init__(
        self,
        devices: Sequence[ScriptedDevice],
        every: float = 0.02,
        timing: Timing = QUICK,
        shape: tuple[Group, ...] | None = None,
        lost_after: float = 0.05,
    ) -> None:
        self.devices = {d.name: d for d in devices}
        self.line = ScriptedLine()
        self.samples: list[Sample] = []
        self.batches: list[int] = []
        self.slow = 0.0
        shape = shape or (Group(("lel", "co"), every, alarm=True),)
        polled = [Polled(d, shape, lost_after) for d in devices]
        self.poller = Poller("rs485-1", self.line, polled, self.accept, SystemClock(), timing)

    async def accept(self, samples: Sequence[Sample]) -> None:
        self.batches.append(len(samples))
        if self.slow:
            await asyncio.sleep(self.slow)
        self.samples += samples

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Rig]:
        task = asyncio.ensure_future(self.poller.run())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def until(self, condition: Callable[[], object], limit: float = 3.0) -> None:
        async with asyncio.timeout(limit):
            while not condition():  # noqa: ASYNC110  # any condition, seen from outside
                await asyncio.sleep(0.002)

    def of(self, device: str) -> list[Sample]:
        return [s for s in self.samples if s.device == device]


def some(count: int, takes: float = 0.001) -> list[ScriptedDevice]:
    return [ScriptedDevice(f"d{n}", takes) for n in range(count)]


LANES = pytest.mark.parametrize("lanes", [1, 4])


def timing(lanes: int) -> Timing:
    return Timing(
        timeout=0.02,
        inflight=lanes,
        retry=0.02,
        retry_share=1,
        probe_first=0.05,
        probe_limit=0.1,
        probe_share=0.5,
    )


@LANES
async def test_every_device_is_read_at_its_period_and_stamped_in_order(lanes: int) -> None:
    async with Rig(some(4), every=0.05, timing=timing(lanes)).running() as rig:
        await asyncio.sleep(1.0)
    for device in rig.devices:
        samples = rig.of(device)
        assert 18 <= len(samples) <= 21
        stamps = [s.at for s in samples]
        assert stamps == sorted(set(stamps))
        assert samples[0].values == {"lel": 1.0, "co": 1.0}
    assert not rig.line.is_open


class StuckClock(SystemClock):
    """Its wall clock was set back and stands still."""

    def now(self) -> Instant:
        return super().now()._replace(wall=5)


async def test_stamps_grow_even_when_the_wall_clock_does_not() -> None:
    rig = Rig(some(1), every=0.01)
    rig.poller._clock = StuckClock()
    async with rig.running():
        await rig.until(lambda: len(rig.samples) >= 4)
    assert [s.at for s in rig.samples[:4]] == [0, 1000, 2000, 3000]


async def test_the_same_device_is_never_asked_twice_at_once() -> None:
    shape = (Group(("lel",), 0.0, alarm=True), Group(("serial",), 0.0))
    async with Rig(some(2, 0.003), timing=timing(4), shape=shape).running() as rig:  # asserted by the device
        await rig.until(lambda: len(rig.samples) > 100)
    assert {tuple(s.values) for s in rig.samples} == {("lel",), ("serial",)}


async def test_several_devices_of_one_endpoint_are_read_at_the_same_time() -> None:
    async with Rig(some(8, 0.05), every=0.1, timing=timing(8)).running() as rig:
        await asyncio.sleep(0.55)
    assert len(rig.samples) >= 8 * 4  # one after the other it would be eleven


async def test_samples_that_are_ready_together_go_together() -> None:
    rig = Rig(some(16, 0.0), every=0.0, timing=timing(8))
    rig.slow = 0.01
    async with rig.running():
        await rig.until(lambda: len(rig.samples) > 200)
    assert max(rig.batches) > 1
    assert max(rig.batches) <= 4 * 8 + 8  # a slow pipeline slows reading down, it does not fill memory


@LANES
async def test_a_silent_device_is_bad_then_lost_as_a_whole_and_told_once(
    lanes: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    shape = groups(["lel", "serial"], ["lel"], every=0.2, alarm_every=0.02)
    devices = some(3)
    async with Rig(devices, timing=timing(lanes), shape=shape).running() as rig:
        await rig.until(lambda: len(rig.of("d1")) > 5)
        devices[1].error = NoAnswer("nothing in 20 ms")
        told = len(rig.of("d1"))
        await asyncio.sleep(0.5)
        bad = [s.bad for s in rig.of("d1")[told:] if s.bad]
        assert bad[0] in ({"lel": Quality.NO_ANSWER}, {"serial": Quality.NO_ANSWER})
        assert bad[-1] == {"lel": Quality.NO_ANSWER, "serial": Quality.NO_ANSWER}
        health = {d.device: d for d in rig.poller.devices()}
        assert health["d1"].state is State.LOST
        assert health["d1"].errors["NoAnswer"] >= 2
        assert list(rig.poller.health().lost) == ["d1"]
        devices[1].error = None
        count = len(rig.of("d1"))
        await rig.until(lambda: len(rig.of("d1")) > count + 8, limit=1.0)
    assert rig.of("d1")[-1].values
    lines = [r.getMessage() for r in caplog.records if "d1" in r.getMessage()]
    assert [text.split(" line=")[0] for text in lines] == ["device is lost", "device is back"]
    assert "why=nothing in 20 ms" in lines[0]


async def test_a_silent_device_does_not_slow_the_others_down() -> None:
    devices = some(8, 0.001)
    devices[3].error, devices[3].takes = NoAnswer("silent"), 0.05
    slowly = Timing(timeout=0.05, retry=0.1, probe_first=0.3)
    async with Rig(devices, every=0.1, timing=slowly, lost_after=0.2).running() as rig:
        await asyncio.sleep(1.2)
    for device in rig.devices:
        if device != "d3":
            assert len(rig.of(device)) >= 11


async def test_a_device_that_refuses_is_alive_with_bad_points() -> None:
    devices = some(1)
    devices[0].error = Refused("illegal address", 2)
    async with Rig(devices).running() as rig:
        await rig.until(lambda: len(rig.samples) > 20)
    assert rig.samples[-1].bad == {"lel": Quality.REFUSED, "co": Quality.REFUSED}
    assert next(rig.poller.devices()).state is State.LIVE


async def test_broken_answers_count_like_silence() -> None:
    devices = some(2)
    devices[0].error = BadAnswer("CRC 1234, wanted 4321")
    async with Rig(devices).running() as rig:
        await rig.until(lambda: next(rig.poller.devices()).state is State.LOST)
    assert next(rig.poller.devices()).errors["BadAnswer"] >= 2
    assert rig.of("d0")[-1].bad["lel"] is Quality.NO_ANSWER


async def test_a_unit_held_back_by_the_line_is_neither_bad_nor_lost() -> None:
    devices = some(2)
    async with Rig(devices).running() as rig:
        devices[0].error = Held("quiet after a timeout", SystemClock().mono() + 0.3)
        await asyncio.sleep(0.25)
        assert len(devices[0].asked) < 4
        devices[0].error = None
        await rig.until(lambda: len(rig.of("d0")) > 3)
    assert not [s for s in rig.of("d0") if s.bad]


@LANES
async def test_a_line_that_goes_and_comes_is_told_once_and_polled_again(
    lanes: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    devices = some(3)
    async with Rig(devices, timing=timing(lanes)).running() as rig:
        await rig.until(lambda: len(rig.samples) > 10)
        rig.line.error = LineDown("no /dev/ttyUSB0")
        for device in devices:
            device.error = LineDown("unplugged")
        await rig.until(lambda: not rig.poller.health().is_open)
        await rig.until(lambda: rig.samples[-1].bad)
        assert {s.device for s in rig.samples[-3:]} == {"d0", "d1", "d2"}
        assert rig.samples[-1].bad == {"lel": Quality.LINE_DOWN, "co": Quality.LINE_DOWN}
        asked = sum(len(d.asked) for d in devices)
        with pytest.raises(LineDown):
            await rig.poller.command("d0", lambda d: d.write("relay", value=True))
        await asyncio.sleep(0.1)
        assert sum(len(d.asked) for d in devices) == asked
        for device in devices:
            device.error = None
        rig.line.error = None
        count = len(rig.samples)
        await rig.until(lambda: len(rig.samples) > count + 12)
    assert {s.device for s in rig.samples[-6:] if s.values} == {"d0", "d1", "d2"}
    words = [r.getMessage().split(" line=")[0] for r in caplog.records]
    assert words == ["line is open", "line is down", "line does not open", "line is open"]
    assert rig.poller.health().reopened == 1


async def test_a_line_that_opens_but_carries_nothing_is_not_hammered() -> None:
    devices = some(1)
    devices[0].error = LineDown("reset by peer")
    async with Rig(devices).running() as rig:
        await asyncio.sleep(0.8)
    assert rig.line.opened <= 3
    assert rig.samples[-1].bad["lel"] is Quality.LINE_DOWN


@LANES
async def test_a_bug_comes_out_of_the_poller(lanes: int) -> None:
    devices = some(3)
    devices[1].error = ZeroDivisionError("a bug")
    rig = Rig(devices, timing=timing(lanes))
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(2):
            await rig.poller.run()
    assert not rig.line.is_open


async def test_an_idle_poller_sleeps() -> None:
    devices = some(4)
    rig = Rig(devices, every=0.25, timing=timing(4))
    turns = 0
    take = rig.poller.schedule.take

    def counted(now: float) -> object:
        nonlocal turns
        turns += 1
        return take(now)

    rig.poller.schedule.take = counted  # type: ignore[assignment,method-assign]  # counts its calls
    async with rig.running():
        await asyncio.sleep(0.6)
    assert turns < 100
    assert len(rig.samples) >= 8


# --- commands ---


async def test_a_command_goes_ahead_of_the_polls_and_returns_what_the_device_holds() -> None:
    devices = some(8, 0.01)
    async with Rig(devices, every=0.0).running() as rig:  # always something due
        await rig.until(lambda: len(rig.samples) > 8)
        before = len(rig.samples)
        assert await rig.poller.command("d3", lambda d: d.write("relay", value=True)) is True
        assert len(rig.samples) - before <= 2
    assert devices[3].written == [("relay", True)]


async def test_commands_wait_for_their_device_and_keep_their_order() -> None:
    devices = some(2, 0.005)
    async with Rig(devices, every=0.0, timing=timing(4)).running() as rig:
        await asyncio.gather(
            *(rig.poller.command("d0", lambda d, n=n: d.write("level", n)) for n in range(10))  # type: ignore[misc]
        )
    assert [value for _, value in devices[0].written] == list(range(10))


async def test_one_command_too_many_is_refused() -> None:
    async with Rig(some(1, 0.02)).running() as rig:
        await rig.until(lambda: rig.samples)
        orders = [
            rig.poller.command("d0", lambda d: d.write("relay", value=True)) for _ in range(WAITING + 3)
        ]
        answers = await asyncio.gather(*orders, return_exceptions=True)
    refused = [a for a in answers if isinstance(a, Busy)]
    assert 1 <= len(refused) <= 3
    assert [a for a in answers if a is True] == [True] * (WAITING + 3 - len(refused))


@pytest.mark.alone
async def test_a_stream_of_commands_does_not_blind_the_line() -> None:
    async with Rig(some(2, 0.002), every=0.01).running() as rig:
        await rig.until(lambda: rig.samples)
        start = len(rig.samples)

        async def insist() -> None:
            while True:
                await rig.poller.command("d0", lambda d: d.write("relay", value=True))

        stream = [asyncio.ensure_future(insist()) for _ in range(8)]
        await asyncio.sleep(0.5)
        for task in stream:
            task.cancel()
        await asyncio.gather(*stream, return_exceptions=True)
        assert (
            len(rig.samples) - start >= 0.5 / 0.002 / 5 * 0.5
        )  # one turn in five, with room for a busy machine


async def test_a_command_that_is_out_of_date_is_not_carried_out() -> None:
    devices = some(1)
    async with Rig(devices).running() as rig:
        await rig.until(lambda: rig.samples)
        with pytest.raises(Expired):
            await rig.poller.command("d0", lambda d: d.write("relay", value=True), SystemClock().mono() - 0.1)
    assert devices[0].written == []


async def test_a_command_whose_caller_has_gone_is_not_carried_out() -> None:
    devices = some(1, 0.05)
    async with Rig(devices).running() as rig:
        await rig.until(lambda: devices[0].asked)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rig.poller.command("d0", lambda d: d.write("relay", value=True)), 0.01)
        await asyncio.sleep(0.1)
    assert devices[0].written == []


@pytest.mark.parametrize("error", [NoAnswer("silent"), Refused("no", 3), ValueError("300 is above 250")])
async def test_a_failed_command_says_why_and_polling_goes_on(error: Exception) -> None:
    devices = some(2)
    async with Rig(devices).running() as rig:
        await rig.until(lambda: rig.samples)

        async def fail(device: object) -> None:
            raise error

        with pytest.raises(type(error), match=str(error)):
            await rig.poller.command("d0", fail)
        count = len(rig.of("d0"))
        await rig.until(lambda: len(rig.of("d0")) > count + 2)


async def test_a_command_to_a_lost_device_fails_at_once_and_has_it_probed() -> None:
    devices = some(2)
    devices[0].error = NoAnswer("nothing in 20 ms")
    rare = Timing(timeout=0.02, retry=0.02, retry_share=1, probe_first=30, probe_limit=30, probe_share=0.5)
    async with Rig(devices, timing=rare).running() as rig:
        await rig.until(lambda: next(rig.poller.devices()).state is State.LOST)
        await asyncio.sleep(0.1)
        asked = len(devices[0].asked)
        with pytest.raises(NoAnswer, match=r"lost.*nothing in 20 ms"):
            await rig.poller.command("d0", lambda d: d.write("relay", value=True))
        await rig.until(lambda: len(devices[0].asked) > asked)
    assert devices[0].written == []


async def test_commands_that_wait_when_the_poller_ends_are_answered() -> None:
    devices = some(1, 10.0)
    async with Rig(devices).running() as rig:
        await rig.until(lambda: devices[0].asked)
        waiting = asyncio.ensure_future(rig.poller.command("d0", lambda d: d.write("relay", value=True)))
        await asyncio.sleep(0.01)
    with pytest.raises(LineDown, match="stopping"):
        await waiting


async def test_health_tells_utilisation_and_the_real_cycle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.station.WINDOW", 0.3)
    async with Rig(some(2, 0.01), every=0.05).running() as rig:
        await asyncio.sleep(0.8)
        health, device = rig.poller.health(), next(rig.poller.devices())
    assert 0.3 < health.utilisation < 0.7
    assert device.cycle == pytest.approx(0.05, rel=0.2)
    assert device.last_good == pytest.approx(SystemClock().mono(), abs=0.2)
    assert health.missed == 0
