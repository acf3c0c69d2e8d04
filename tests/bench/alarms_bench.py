"""What the alarm engine is worth: `python tests/bench/alarms_bench.py [json]`. Exit 1 when something was lost, or too slow.

Three parts: the scenarios of alarms.md 9.2 in simulated time (missed, duplicate, lost, false; how late; how many
messages); 1,000 points with three rules each at 1 Hz through pipeline, journal and a link in real time, with eight
consoles that look at the alarms (how long from the sample to the disk, to the link, to the receipt; CPU, memory, how
late the event loop is, what is written); the engine alone (points x rules per second).
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/bench")]

import engine as engine_bench  # noqa: E402  the path comes first

from gateway.board import Board  # noqa: E402
from gateway.cli.rulecases import load_cases  # noqa: E402
from gateway.clock import SystemClock  # noqa: E402
from gateway.console.alarms import Alarms  # noqa: E402
from gateway.links import encode  # noqa: E402
from gateway.model import ANNOUNCED, AlarmClass, EventKind, Sample  # noqa: E402
from gateway.pipeline import Pipeline  # noqa: E402
from gateway.store import Lane, Store  # noqa: E402
from gateway.telemetry import Encoder  # noqa: E402
from rules.conditions import AlarmSpec, BadData, Context, Limit, Stale  # noqa: E402
from rules.desk import Desk, Tree  # noqa: E402
from rules.engine import counted_ids  # noqa: E402
from rules.incidents import judge  # noqa: E402
from rules.play import compare, play  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import AlarmEvent
    from gateway.store import Record
    from rules.casefile import Case

SCENARIOS = sorted((ROOT / "tests/cases/scenarios").glob("*.yaml"))
MONTH = 30 * 86400.0
SHARE = 0.1  # of a core, that 1,000 points x 3 rules at 1 Hz may take
CONSOLES, LOOK, BEAT = 8, 0.25, 0.01  # seconds between two looks of a console, and of the loop at its clock
POINTS, SECONDS, AT_ONCE = 1000, 30, 10  # of the run in real time; devices of one poll
TOPICS, NOBODY = encode.Topics("site", "gw"), encode.Facts("trial")


@dataclass(frozen=True)
class Scenario:
    """How one scenario went, in simulated time."""

    name: str
    incidents: int
    missed: int  # not told in time
    duplicate: int  # told again without having been taken back
    lost: int  # expected, and never came
    false: int
    delays: list[float]  # simulated seconds from the first sample that was true
    messages: int
    points: float  # point-months
    cpu: float


@dataclass(frozen=True)
class Live:
    """The run in real time; times in milliseconds."""

    alarms: int
    disk: list[float]
    link: list[float]
    receipt: list[float]
    core: float  # share of one core, the bench's own samples and link included
    engine: float  # share of one core, the engine alone
    written: float  # bytes per second
    lag: list[float]  # milliseconds that the loop was late
    rss: int  # bytes


def scenario(file: Path) -> Scenario:
    """Play a file."""
    start = time.process_time()
    found = [play_case(case, specs) for case, specs in load_cases(file).cases]
    sums = {name: sum(one[name] for one in found) for name in found[0] if name != "delays"}
    delays = [delay for one in found for delay in one["delays"]]
    return Scenario(file.stem, delays=delays, cpu=time.process_time() - start, **sums)


def play_case(case: Case, specs: list[AlarmSpec]) -> dict[str, Any]:
    events: list[AlarmEvent] = []
    seen = play(case, specs, events.extend)
    truth = judge(case.incidents, seen)
    _, lines = compare(case, seen)
    steps = max(len(s) for points in case.series.values() for s in points.values())
    return {
        "incidents": len(case.incidents),
        "missed": len(truth.missed),
        "duplicate": duplicates(events),
        "lost": sum(line.sign == "-" for line in lines) - len(truth.missed),
        "false": len(truth.false),
        "delays": list(truth.delays),
        "messages": truth.told,
        "points": len(case.series) * steps * case.every / MONTH,
    }


def duplicates(events: Sequence[AlarmEvent]) -> int:
    """Count what was raised twice in one occurrence, or raised while an all-clear was still owed."""
    raised: Counter[tuple[str, str, str]] = Counter()
    owed: set[tuple[str, str]] = set()
    twice = 0
    for event in events:
        key = event.device, event.rule
        if event.kind is EventKind.RAISE:
            raised[*key, event.occurrence] += 1
            twice += raised[*key, event.occurrence] > 1 or key in owed
        if event.kind in ANNOUNCED:
            (owed.discard if event.kind is EventKind.CLEAR else owed.add)(key)
    return twice


class LinkOf:
    """Takes alarms from the journal as they come, and gives a receipt at once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.at: dict[int, float] = {}
        self.confirmed: dict[int, float] = {}

    async def run(self) -> None:
        cursor = await self.store.cursor("bench", Lane.ALARM)
        after = None
        while True:
            cursor.wake.clear()
            records = await cursor.read(after)
            if not records:
                await cursor.wake.wait()
                continue
            now = time.perf_counter()
            self.at |= {record.seq: now for record in records}
            after = records[-1].place
            await cursor.confirm(records[0].epoch, [(records[0].seq, records[-1].seq)])
            now = time.perf_counter()
            self.confirmed |= {record.seq: now for record in records}


async def console(alarms: Alarms, clock: SystemClock) -> None:
    """Do what the stream of the API does for one console."""
    while True:
        await asyncio.sleep(LOOK)
        json.dumps(alarms.rows(clock.now()), ensure_ascii=False)


async def beat(lag: list[float]) -> None:
    """Note how late the loop is, in milliseconds."""
    while True:
        due = time.perf_counter() + BEAT
        await asyncio.sleep(BEAT)
        lag.append((time.perf_counter() - due) * 1000)


class TimedEngine(Desk):
    """Counts the CPU seconds it takes."""

    spent = 0.0

    def observe(self, samples: Sequence[Sample], now: Any) -> list[AlarmEvent]:
        start = time.process_time()
        try:
            return super().observe(samples, now)
        finally:
            self.spent += time.process_time() - start


async def live(folder: Path) -> Live:
    """Poll 1,000 points once a second; every third second 20 of them begin or end an alarm."""
    clock = SystemClock()
    store = await Store.open(folder, clock)
    names = [f"d{i:04d}" for i in range(POINTS)]
    high = Limit(
        name="high",
        point="p",
        limit=300,
        deadband=15,
        level=2,
        alarm_class=AlarmClass.ELECTRICAL,
        off_delay=2,
    )
    rules = high, Stale(name="stale"), BadData(name="bad", point="p")
    specs = [AlarmSpec(name, rule, Context(unit="mA")) for name in names for rule in rules]
    engine = TimedEngine(specs, {}, counted_ids(store.epoch), clock.now(), Tree())
    committed: list[float] = []

    def told(events: Sequence[AlarmEvent], _: Sequence[Record]) -> None:
        committed.extend([time.perf_counter()] * len(events))

    encoders = {name: Encoder("efd", name).encode for name in names}
    pipeline = Pipeline(
        engine, store, Board(names), clock, encoders, lambda e: encode.event(e, NOBODY, TOPICS), told
    )
    link = LinkOf(store)
    lag: list[float] = []
    jobs = [
        link.run(),
        store.run(),
        beat(lag),
        *(console(Alarms(engine, {}), clock) for _ in range(CONSOLES)),
    ]
    tasks = [asyncio.create_task(job) for job in jobs]
    starts: list[float] = []
    cpu, written, begin = time.process_time(), disk_bytes(), clock.mono() + 1
    for second in range(SECONDS):
        for first in range(0, POINTS, AT_ONCE):
            await asyncio.sleep(max(0.0, begin + second + first / POINTS - clock.mono()))
            before, start = len(committed), time.perf_counter()
            now = clock.now()
            values = [value_of(i, second) for i in range(first, first + AT_ONCE)]
            samples = [Sample(names[first + i], now.wall, now.mono, {"p": v}) for i, v in enumerate(values)]
            await pipeline.accept(samples)
            starts += [start] * (len(committed) - before)
        await pipeline.tick()
        starts += [0.0] * (len(committed) - len(starts))  # what time alone decided has no sample
    core = (time.process_time() - cpu) / SECONDS
    await asyncio.sleep(0.3)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.close()
    sampled = [n for n, start in enumerate(starts) if start]
    return Live(
        alarms=pipeline.counts.announced,
        disk=[(committed[n] - starts[n]) * 1000 for n in sampled],
        link=[(link.at[n + 1] - starts[n]) * 1000 for n in sampled],
        receipt=[(link.confirmed[n + 1] - starts[n]) * 1000 for n in sampled],
        core=core,
        engine=engine.spent / SECONDS,
        written=(disk_bytes() - written) / SECONDS,
        lag=lag,
        rss=memory(),
    )


def memory() -> int:
    """Return the bytes this process holds in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) * 1024


def value_of(i: int, second: int) -> float:
    return 310.0 if i % 50 == second // 3 % 50 and second % 3 < 2 else 250.0


def disk_bytes() -> int:
    """Return what this process has given to the disk."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("write_bytes")))


def quantiles(values: Sequence[float]) -> str:
    if not values:
        return "-"
    ordered = sorted(values)
    p95 = ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]
    return f"p50 {ordered[len(ordered) // 2]:.3g}  p95 {p95:.3g}  max {ordered[-1]:.3g}"


def show(scenarios: list[Scenario], run: Live, figures: list[engine_bench.Figure]) -> None:
    print(f"{'scenario':24} incidents  missed  duplicate  lost  false  messages/incident  delay in s")
    for s in scenarios:
        print(
            f"{s.name:24} {s.incidents:>9}  {s.missed:>6}  {s.duplicate:>9}  {s.lost:>4}  {s.false:>5}  "
            f"{s.messages / s.incidents:>17.2f}  {quantiles(s.delays)}"
        )
    months = sum(s.points for s in scenarios)
    print(
        f"\nfalse alarms per point-month: {sum(s.false for s in scenarios) / months:.3f} in {months:.2f} point-months"
    )
    print(f"detection delay of all incidents, s: {quantiles([d for s in scenarios for d in s.delays])}")
    print(
        f"\n{POINTS} points x 3 rules at 1 Hz for {SECONDS} s, {run.alarms} messages; milliseconds from the sample to"
    )
    print(
        f"  the disk     {quantiles(run.disk)}\n  the link     {quantiles(run.link)}\n  the receipt  {quantiles(run.receipt)}"
    )
    print(
        f"  engine {run.engine:.1%} of a core{'' if run.engine < SHARE else ' (promised: below 10%)'}, "
        f"everything {run.core:.1%}, {run.rss / 1e6:.0f} MB, {run.written * 86.4e-6:.1f} GB a day to the disk"
    )
    late = sorted(run.lag)
    p99 = late[int(len(late) * 0.99)]
    print(f"  event loop with {CONSOLES} consoles: late by p99 {p99:.1f}  max {late[-1]:.1f}\n")
    print("\n".join(map(str, figures)))


def main() -> int:
    scenarios = [scenario(file) for file in SCENARIOS]
    with tempfile.TemporaryDirectory() as folder:
        run = asyncio.run(live(Path(folder)))
    figures = engine_bench.figures()
    if "json" in sys.argv:
        parts = {"scenarios": [asdict(s) for s in scenarios], "engine": [asdict(f) for f in figures]}
        print(json.dumps({"live": asdict(run), **parts}))
    else:
        show(scenarios, run, figures)
    wrong = sum(s.missed + s.duplicate + s.lost for s in scenarios)
    slow = run.engine >= SHARE or not all(figure.met for figure in figures)
    return 1 if wrong or slow else 0


if __name__ == "__main__":
    sys.exit(main())
