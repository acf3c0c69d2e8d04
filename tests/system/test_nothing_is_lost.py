"""Broker, database, ingest and gateway go away or are killed: afterwards everything committed is stored, once.

The devices count how often they were read, so a lost reading is a hole in their own count, whatever anybody says; and what
the journal's files hold is compared with what InfluxDB holds, row by row. The short variants are away for seconds, the
full ones (slow) for a minute.
"""

from __future__ import annotations

import contextlib
import random
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from pace import responder
from servers import Influx, Mosquitto
from stack import (
    MISTAKEN,
    TOCSIN,
    Gateway,
    Running,
    committed_events,
    committed_telemetry,
    counters,
    counts_of,
    event_row,
    holes,
    ingest,
    missing,
    moved_away,
    until,
    write_register,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.system

RAISED = frozenset({"raise", "repeat"})  # nobody acknowledges here, so it stands and comes again
CLEARED = frozenset({"clear"})
DEVICES = 6
KILLS = 3
EVERY = 0.1
GROUP = 1.0
LAST_GROUP = round(
    (GROUP + 1.0) / EVERY
)  # readings of one device a kill may take: the open group and its way to the disk


@dataclass
class Bench:
    """The whole path, and what its devices were made to say."""

    folder: Path
    ports: Sequence[int]
    broker: Mosquitto
    influx: Influx
    gateway: Gateway
    ingest: Running
    toggled: dict[frozenset[str], int] = field(default_factory=lambda: {RAISED: 0, CLEARED: 0})
    shown: dict[tuple[int, int], dict[str, Any]] = field(
        default_factory=dict
    )  # events the API called committed

    def toggle(self) -> None:
        """Raise an alarm at every device and let it pass; each is committed when the API shows it."""
        for value, kinds in ((400, RAISED), (0, CLEARED)):
            for port in self.ports:
                write_register(port, 0, value)
            wanted = self.toggled[kinds] = self.toggled[kinds] + len(self.ports)
            until(lambda: self.told(kinds) >= wanted, 10, f"{kinds} not told")  # noqa: B023  used within the round

    def told(self, kinds: frozenset[str]) -> int:
        """Ask the gateway for its events, and remember them; return how many of these kinds it ever told."""
        for event in self.gateway.api.get("/events?limit=1000"):
            if event["rule"] == "high":
                self.shown[event["epoch"], event["seq"]] = event
        return sum(event["event"] in kinds for event in self.shown.values())

    def live(self, seconds: float) -> None:
        """Let time pass with readings and alarms."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.toggle()
            time.sleep(min(0.5, seconds / 4))

    def finish(self) -> None:
        """Wait until everything has its receipt, and stop."""
        until(lambda: self.gateway.backlog() <= 1, 90, "backlog")
        assert self.gateway.end() == 0
        assert self.ingest.end() == 0


@contextlib.contextmanager
def running(folder: Path, tocsin: Sequence[str] = TOCSIN) -> Iterator[Bench]:
    with (
        Mosquitto(folder / "broker") as broker,
        Influx(folder / "influx") as influx,
        responder("tcp", DEVICES) as ports,
        ingest(folder, broker, influx) as far_end,
        Gateway(counters(folder, ports, broker.url), tocsin) as gateway,
    ):
        gateway.ready()
        until(gateway.connected, 20, "not connected")
        yield Bench(folder, ports, broker, influx, gateway, far_end)


def broker_away(bench: Bench, seconds: float) -> None:
    with moved_away(bench.broker):
        bench.live(seconds)


def broker_killed(bench: Bench, seconds: float) -> None:
    """With Mosquitto's own defaults: what it had queued is gone. The database is away, so there is much of it."""
    with moved_away(bench.influx):
        bench.live(seconds / 2)
        with moved_away(bench.broker, signal.SIGKILL):
            bench.live(seconds / 2)
        until(bench.gateway.connected, 90, "not connected again")
        bench.live(0.5)


def gateway_killed(bench: Bench, seconds: float) -> None:
    for _ in range(KILLS):
        bench.live(GROUP + seconds / KILLS)
        bench.gateway.kill()
        bench.gateway.start().ready()


def ingest_killed(bench: Bench, seconds: float) -> None:
    bench.ingest.kill()
    bench.live(seconds)
    bench.ingest.start()


def database_away(bench: Bench, seconds: float) -> None:
    with moved_away(bench.influx):
        bench.live(seconds)


def database_killed(bench: Bench, seconds: float) -> None:
    with moved_away(bench.influx, signal.SIGKILL):
        bench.live(seconds)


TROUBLES: dict[str, Callable[[Bench, float], None]] = {
    "broker away": broker_away,
    "broker killed": broker_killed,
    "gateway killed": gateway_killed,
    "ingest killed": ingest_killed,
    "database away": database_away,
    "database killed": database_killed,
}


def judge(bench: Bench, kills: int) -> None:
    """Compare what was committed with what is stored, and both with what the devices counted."""
    data = bench.folder / "data"
    events, telemetry = committed_events(data), committed_telemetry(data)
    no_events, no_telemetry, strange = missing(data, bench.influx)
    assert (no_events, no_telemetry, strange) == (set(), set(), set())
    told = {place: event_row(event) for place, event in bench.shown.items()}
    assert told.items() <= {place: event_row(event) for place, event in events.items()}.items()
    high = [event["event"] for event in events.values() if event["rule"] == "high"]
    assert {kinds: sum(event in kinds for event in high) for kinds in (RAISED, CLEARED)} == bench.toggled
    lost = {}
    for n in range(DEVICES):
        counts = counts_of(bench.influx, f"d{n}")
        assert counts[0] == 0
        assert len(holes(counts)) <= kills, f"more holes than kills of the gateway: {holes(counts)}"
        # Two kills before anything was committed in between make one hole of two open groups.
        assert sum(holes(counts)) <= kills * LAST_GROUP, f"more than the open groups: {holes(counts)}"
        lost[f"d{n}"] = holes(counts)
    print(
        f"\n{len(telemetry)} lines and {len(events)} events committed, all stored; lost at {kills} kills: {lost}"
    )


@pytest.mark.parametrize("trouble", [name for name in TROUBLES if name != "database killed"])
def test_after_trouble_all_that_was_committed_is_stored_once(trouble: str, tmp_path: Path) -> None:
    with running(tmp_path) as bench:
        bench.live(1.0)
        TROUBLES[trouble](bench, 3.0)
        bench.live(0.5)
        bench.finish()
        judge(bench, kills=KILLS if trouble == "gateway killed" else 0)


@pytest.mark.slow
@pytest.mark.parametrize("trouble", TROUBLES)
def test_after_a_minute_of_trouble_all_that_was_committed_is_stored_once(
    trouble: str, tmp_path: Path
) -> None:
    with running(tmp_path) as bench:
        bench.live(5.0)
        TROUBLES[trouble](bench, 60.0)
        bench.live(5.0)
        bench.finish()
        judge(bench, kills=KILLS if trouble == "gateway killed" else 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_after_trouble_upon_trouble_all_that_was_committed_is_stored_once(seed: int, tmp_path: Path) -> None:
    """Everything is killed or frozen in an order left to chance, also while something else is away."""
    chance = random.Random(seed)
    kills = 0
    with running(tmp_path) as bench:
        for _ in range(12):
            bench.live(chance.uniform(0.2, 2.0))
            with contextlib.ExitStack() as away:
                for what in chance.sample(
                    ["broker", "influx", "ingest", "gateway", "frozen"], chance.choice([1, 1, 2])
                ):
                    if what == "gateway":
                        bench.gateway.kill()
                        time.sleep(chance.uniform(0.0, 0.5))
                        bench.gateway.start().ready()
                        kills += 1
                    elif what == "ingest":
                        bench.ingest.kill()
                        away.callback(bench.ingest.start)
                    elif what == "frozen":
                        if bench.broker.process:
                            bench.broker.freeze()
                            away.callback(bench.broker.thaw)
                    else:
                        server = bench.broker if what == "broker" else bench.influx
                        away.enter_context(moved_away(server, signal.SIGKILL))
                    bench.live(chance.uniform(0.2, 2.0))
        bench.finish()
        judge(bench, kills)


def test_control_a_gateway_that_forgets_on_puback_loses(tmp_path: Path) -> None:
    """The same trial of the killed broker with the one mistake made on purpose."""
    with running(tmp_path, (*MISTAKEN, "puback")) as bench:
        bench.live(1.0)
        broker_killed(bench, 3.0)
        bench.live(0.5)
        bench.finish()
        no_events, no_telemetry, _ = missing(tmp_path / "data", bench.influx)
        print(f"\nforgot on PUBACK: {len(no_events)} events and {len(no_telemetry)} lines are lost")
        assert no_events
        assert no_telemetry
