"""Which faults are only the consequence of another: gateway, line, device, point (alarms.md 5.3). Pure.

    a line is down:     its port is gone, or at least max(3, half) of its devices began to fail in one cycle
    the gateway is:     the same, counted in lines
    a device is:        it does not answer; then nothing is said of its single points

Three promises: what is hidden is telling, never watching; a fault that begins, never one that ends; and only
of a child that fails itself. Fire, gas, electrical and safety alarms are never touched: see `Suppress`.

What hides what is kept with the alarms (`AlarmState.roots`), so a restart takes it up where it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.model import Quality
from rules.actions import Suppress, Unsuppress
from rules.rule import EPSILON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gateway.model import Sample
    from rules.actions import Action
    from rules.rule import AlarmKey

CONFIRM = 5.0  # seconds a cause must hold until it hides anything: a blip hides nothing
GRACE = 10.0  # seconds at least that a cause goes on hiding when it is over; else two cycles
HEADSTART = 10.0  # seconds that a consequence leaves its cause to be found first
LEAST = 3  # children that must fail together
SILENT = frozenset({Quality.NO_ANSWER, Quality.LINE_DOWN})


class Move(NamedTuple):
    """What is to be done to an alarm."""

    key: AlarmKey
    action: Action


@dataclass(frozen=True, slots=True)
class Leaf:
    """A device of a line, as the site has it."""

    line: str
    cycle: float  # seconds between two polls
    whole: tuple[AlarmKey, ...] = ()  # faults that say: the device is silent
    points: tuple[AlarmKey, ...] = ()  # faults that say: one of its points is


@dataclass(slots=True)
class Cause:
    """Something that may be down: since when its criterion holds, or does not hold any more."""

    name: str
    grace: float = GRACE
    since: float | None = None  # the criterion holds, or still counts as holding
    over: float | None = None  # the criterion is over, the grace runs
    down: bool = False

    def see(self, now: float, *, holds: bool) -> bool:
        """Take in whether the criterion holds; return whether `down` changed."""
        if holds:
            self.over = None
            if self.since is None:
                self.since = now
            if not self.down and now >= self.since + CONFIRM - EPSILON:
                self.down = True
                return True
        elif not self.down:
            self.since = None
        elif self.over is None:
            self.over = now
        elif now >= self.over + self.grace - EPSILON:
            self.since, self.over, self.down = None, None, False
            return True
        return False

    def due(self) -> float | None:
        """Return when time alone will change something."""
        if self.down:
            return None if self.over is None else self.over + self.grace
        return None if self.since is None else self.since + CONFIRM


@dataclass(slots=True)
class _Device:
    leaf: Leaf
    cause: Cause
    failing: float | None = None  # since
    veiled: bool = False  # its line was down while it failed

    @property
    def settles(self) -> bool:
        """True when it answers again, but not for so long yet that its own faults must be over."""
        return self.failing is None and self.cause.down


@dataclass(slots=True)
class _Line:
    cause: Cause
    voice: AlarmKey  # the fault that tells outside that it is down
    window: float  # seconds: failures no further apart began together
    port: bool = False  # the newest sample says that the port is gone
    devices: list[_Device] = field(default_factory=list)

    def holds(self) -> bool:
        """Whether the line is to be taken for down."""
        failing = sorted(d.failing for d in self.devices if d.failing is not None)
        need = needed(len(self.devices))
        if self.port or self.cause.down:
            return self.port or len(failing) >= need
        together = zip(failing, failing[need - 1 :], strict=False)
        return any(last - first <= self.window for first, last in together)


class Roots:
    """What is down, and what that hides. Give it every sample before the engine sees it."""

    def __init__(
        self,
        leaves: Mapping[str, Leaf],
        lines: Mapping[str, AlarmKey],
        gateway: AlarmKey,
        restored: Iterable[tuple[AlarmKey, Iterable[str]]],
        standing: Iterable[AlarmKey],
        now: float,
    ) -> None:
        """`lines`, `gateway`: the faults that say they are down; each is named after the device of its fault.

        `restored`: what was hidden by what before the restart; `standing`: the faults that stood.
        """
        self._gateway = Cause(gateway[0])
        self._voices = {gateway: gateway[0], **{voice: name for name, voice in lines.items()}}
        self._voices |= {key: name for name, leaf in leaves.items() for key in leaf.whole}
        self._applied = {key: set(roots) for key, roots in restored}
        self._lines = {name: _Line(Cause(name), voice, 0.0) for name, voice in lines.items()}
        self._devices: dict[str, _Device] = {}
        for name, leaf in leaves.items():
            device = _Device(leaf, Cause(name, max(GRACE, 2 * leaf.cycle)))
            self._devices[name] = device
            self._lines[leaf.line].devices.append(device)
        for line in self._lines.values():
            cycle = middle([d.leaf.cycle for d in line.devices])
            line.window = max(3 * cycle, 3 * GRACE)
            line.cause.grace = max(GRACE, 2 * cycle)
        self._take_up(set(standing), now)
        self._timed = [self._gateway, *(line.cause for line in self._lines.values())]
        self._timed += [device.cause for device in self._devices.values()]
        self._owed = True  # the first step looks at everything: what is hidden by nothing any more
        self._due = self._next_due()

    def observe(self, samples: Sequence[Sample], now: float) -> list[Move]:
        """Take in what samples say of devices and lines; return what follows for the alarms."""
        moved = self._owed
        for sample in samples:
            device = self._devices.get(sample.device)
            if device is None:
                continue
            reason = None if sample.values else next(iter(sample.bad.values()), None)
            port = reason is Quality.LINE_DOWN
            line = self._lines[device.leaf.line]
            if (reason in SILENT) is (device.failing is not None) and port is line.port:
                continue
            line.port = port
            if reason not in SILENT:
                device.failing = None
            elif device.failing is None:
                device.failing = sample.mono
            moved = True
        return self._moves(now) if moved else []

    def tick(self, now: float) -> list[Move]:
        """Let time pass."""
        due = self.next_deadline()
        return self._moves(now) if self._owed or (due is not None and now >= due - EPSILON) else []

    def next_deadline(self) -> float | None:
        """Return when `tick` has something to do."""
        return self._due

    def down_for(self, line: str, now: float) -> float:
        """Return for how many seconds a line counts as failing; 0 when it does not."""
        since = self._lines[line].cause.since
        return 0.0 if since is None else now - since

    def lines_down(self, now: float) -> float:
        """Return for how many seconds most lines of the gateway have failed together."""
        return 0.0 if self._gateway.since is None else now - self._gateway.since

    def affects(self, key: AlarmKey) -> int:
        """Return how many faults are hidden because of what this one says."""
        cause = self._voices.get(key)
        return 0 if cause is None else sum(cause in roots for roots in self._applied.values())

    # Inside.

    def _take_up(self, standing: set[AlarmKey], now: float) -> None:
        """Go on after a restart: what was down is down until somebody answers."""
        known = {root for roots in self._applied.values() for root in roots}
        before = now - CONFIRM - GRACE
        for line in self._lines.values():
            if line.cause.name in known or line.voice in standing:
                line.cause.since, line.cause.down, line.port = before, True, True
        if self._gateway.name in known:
            self._gateway.since, self._gateway.down = before, True
        for device in self._devices.values():
            keys = (*device.leaf.whole, *device.leaf.points)
            hiding = {root for key in keys for root in self._applied.get(key, ())}
            if hiding:
                device.failing = now
            if hiding & {device.cause.name, device.leaf.line, self._lines[device.leaf.line].cause.name}:
                device.cause.since, device.cause.down = before, True

    def _moves(self, now: float) -> list[Move]:
        self._owed = False
        lines = self._lines.values()
        for line in lines:
            line.cause.see(now, holds=line.holds())
        failing = sum(line.cause.since is not None for line in lines)
        self._gateway.see(now, holds=failing >= needed(len(lines)))
        for device in self._devices.values():
            device.cause.see(now, holds=device.failing is not None)
        wanted = {key: roots for key, roots in self._hidden() if roots}
        moves = []
        for key in wanted.keys() | self._applied.keys():
            want, have = wanted.get(key, set()), self._applied.get(key, set())
            moves += [Move(key, Suppress(root)) for root in sorted(want - have)]
            moves += [Move(key, Unsuppress(root)) for root in sorted(have - want)]
        self._applied = wanted
        self._due = self._next_due()
        return sorted(moves, key=lambda move: move.key)

    def _next_due(self) -> float | None:
        """Return when time alone will change a cause; only `_moves` changes one otherwise."""
        return min((due for cause in self._timed if (due := cause.due()) is not None), default=None)

    def _hidden(self) -> Iterator[tuple[AlarmKey, set[str]]]:
        """Yield the faults with what hides them now."""
        for line in self._lines.values():
            cause = line.cause
            yield (
                line.voice,
                {self._gateway.name} if self._gateway.down and cause.since is not None else set(),
            )
            for device in line.devices:
                if not device.settles:
                    device.veiled = cause.down and device.failing is not None
                # A device that has come back with its line stays hidden until its faults are over: one that
                # is asked late, on a line that has just come up, would else speak in the last moment.
                roots = {cause.name} if device.veiled else set()
                for key in device.leaf.whole:
                    yield key, roots
                own = {device.cause.name} if device.cause.down else set()
                for key in device.leaf.points:
                    yield key, roots | own


def needed(children: int) -> int:
    """Return how many children must fail together to be the fault of their parent."""
    return max(LEAST, (children + 1) // 2)


def middle(values: Sequence[float]) -> float:
    """Return the median, 0 of nothing."""
    return sorted(values)[len(values) // 2] if values else 0.0


def detection(cycles: Sequence[float], timeout: float, inflight: int = 1) -> float | None:
    """Return in how many seconds a silent line is found; None when its devices are too few for that."""
    need = needed(len(cycles))
    if len(cycles) < need:
        return None
    return sorted(cycles)[need - 1] + timeout * -(-need // inflight) + CONFIRM
