"""What is probably wrong with rules that are not wrong: alarms that flutter, hide or can never come. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rules.kinds.deviation import Deviation
from rules.kinds.faults import Stale
from rules.kinds.limit import Limit, width
from rules.rule import FAULTS, gravity
from rules.site import is_device

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rules.kinds.limit import Level
    from rules.rule import AlarmSpec

NORMAL = 0.01  # of the readings of normal times may lie on either side of what is called the normal noise
FEW = 100  # readings that are too few to call anything normal

Text = tuple[str, str]
"""In Chinese, in English."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: what it is, and what to do about it."""

    device: str
    rule: str  # "" when it is about the device
    code: str  # one word for machines
    what: Text
    do: Text


@dataclass(frozen=True, slots=True)
class Line:
    """One limit of one rule."""

    spec: AlarmSpec
    point: str
    limit: float
    above: bool
    level: int
    deadband: float
    on_delay: float
    off_delay: float
    min_samples: int

    def finding(self, code: str, what: Text, do: Text) -> Finding:
        """Say something about it."""
        return Finding(self.spec.device, self.spec.rule.name, code, what, do)


@dataclass(frozen=True, slots=True)
class Noise:
    """Where the readings of a point lie in normal times."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Noise | None:
        """Return it for recorded values; None when there are too few."""
        if len(values) < FEW:
            return None
        ordered = sorted(values)
        cut = int(len(ordered) * NORMAL)
        return cls(ordered[cut], ordered[len(ordered) // 2], ordered[-1 - cut])


def lint(
    specs: Iterable[AlarmSpec],
    ranges: Mapping[tuple[str, str], tuple[float, float]],
    noise: Mapping[tuple[str, str], Noise],
) -> list[Finding]:
    """Return what is to be looked at. `ranges` and `noise` are of (device, point), where known."""
    specs = list(specs)
    lines = [line for spec in specs for line in lines_of(spec)]
    found = [finding for line in lines for finding in _alone(line)]
    found += _disorder(lines)
    for line in lines:
        key = line.spec.device, line.point
        if key in ranges:
            found += _unreachable(line, *ranges[key])
        if key in noise:
            found += _noisy(line, noise[key])
    return found + list(_blind(specs))


def lines_of(spec: AlarmSpec) -> Iterator[Line]:
    """Yield the limits of a rule; faults, and rules of other types, have none."""
    rule = spec.rule
    if rule.alarm_class in FAULTS:
        return
    if isinstance(rule, Limit):
        for x in rule.lines():
            above = (x.when or rule.when) == "above"
            yield _line(spec, rule.point, x, above=above)
    elif isinstance(rule, Deviation):
        slack = width(rule.deadband, rule.limit)
        delays = rule.on_delay, rule.off_delay, rule.min_samples
        # The point is no angle from the baseline: nothing recorded can be compared with the limit.
        yield Line(spec, "", rule.limit, True, rule.level, slack, *delays)  # noqa: FBT003  above


def _line(spec: AlarmSpec, point: str, x: Level, *, above: bool) -> Line:
    slack = width(x.deadband, x.limit)
    return Line(spec, point, x.limit, above, x.level, slack, x.on_delay, x.off_delay, x.min_samples)


def _alone(line: Line) -> Iterator[Finding]:
    """Yield what a limit shows by itself."""
    interval = line.spec.context.interval
    if line.deadband == 0:
        yield line.finding(
            "no-deadband",
            ("没有回差：数值在限值附近摆动会反复报警", "no deadband: a value at the limit comes and goes"),
            ("加 deadband，约为限值的 5%", 'give it one, such as deadband: "5%"'),
        )
    if line.on_delay == 0 and line.min_samples < 2 and line.level != 1:
        yield line.finding(
            "no-delay",
            ("没有延时：一个毛刺就会报警", "no delay: a single spike is an alarm"),
            ("加 on_delay，或 min_samples: 2", "give it on_delay, or min_samples: 2"),
        )
    if line.off_delay < interval:
        yield line.finding(
            "short-off-delay",
            (
                f"恢复延时 {line.off_delay:g} s 短于采样周期 {interval:g} s：一次读数就算恢复",
                f"off_delay {line.off_delay:g} s is below the period of {interval:g} s: one reading clears",
            ),
            ("off_delay 取几个周期，常用 60s", "several periods; 60s is usual"),
        )
    if 0 < line.on_delay < interval:
        yield line.finding(
            "short-on-delay",
            (
                f"报警延时 {line.on_delay:g} s 短于采样周期 {interval:g} s，不起作用",
                f"on_delay {line.on_delay:g} s is below the period of {interval:g} s: it does nothing",
            ),
            (
                "on_delay 取几个周期，或更快采样（alarm_every）",
                "several periods, or read faster (alarm_every)",
            ),
        )


def _disorder(lines: Sequence[Line]) -> Iterator[Finding]:
    """Yield graver levels that come before milder ones (HH below H)."""
    for line in lines:
        for other in lines:
            same = (line.spec.device, line.point, line.above) == (other.spec.device, other.point, other.above)
            if not same or not line.point or gravity(line.level) >= gravity(other.level):
                continue
            wrong = line.limit <= other.limit if line.above else line.limit >= other.limit
            if wrong:
                name, mine, its = other.spec.rule.name, f"{line.limit:g}", f"{other.limit:g}"
                zh = f"级别 {line.level} 的限值 {mine} 比级别 {other.level}（{name}）的 {its} 先到"
                en = f"level {line.level} at {mine} comes before level {other.level} ({name}) at {its}"
                do = "严重级别的限值应更远", "put the graver limit beyond the milder one"
                yield line.finding("disorder", (zh, en), do)


def _unreachable(line: Line, low: float, high: float) -> Iterator[Finding]:
    """Yield limits beyond what the point can say."""
    if low <= line.limit <= high:
        return
    yield line.finding(
        "out-of-range",
        (
            f"限值 {line.limit:g} 在 {line.point} 的量程 {low:g}…{high:g} 之外",
            f"limit {line.limit:g} is outside the range of {line.point}, {low:g} to {high:g}",
        ),
        ("改限值，或改该点的 range", "change the limit, or the range of the point"),
    )


def _noisy(line: Line, noise: Noise) -> Iterator[Finding]:
    """Yield limits that recorded normal times reach, and deadbands that they never leave."""
    reach = noise.high if line.above else -noise.low
    limit = line.limit if line.above else -line.limit
    middle = noise.middle if line.above else -noise.middle
    span = f"{noise.low:g}…{noise.high:g}"
    if limit <= reach:
        yield line.finding(
            "in-the-noise",
            (
                f"限值 {line.limit:g} 在历史正常波动 {span} 之内",
                f"limit {line.limit:g} is within the normal noise of the record, {span}",
            ),
            (
                "抬高限值，或用 on_delay 与 deadband；用 rules replay 试算",
                "move it out, or use on_delay and deadband; try with `tocsin rules replay`",
            ),
        )
    elif limit - line.deadband <= middle:
        yield line.finding(
            "never-clears",
            (
                f"回差 {line.deadband:g} 太大：正常值 {noise.middle:g} 也不会恢复",
                f"deadband {line.deadband:g} is too wide: it would stand at the usual {noise.middle:g}",
            ),
            ("减小 deadband", "make the deadband smaller"),
        )


def _blind(specs: Iterable[AlarmSpec]) -> Iterator[Finding]:
    """Yield devices whose silence nobody would notice; the homes of rules over many are no devices."""
    devices: dict[str, bool] = {}
    for spec in specs:
        if is_device(spec.device):
            devices[spec.device] = devices.get(spec.device, False) or isinstance(spec.rule, Stale)
    for device, watched in devices.items():
        if not watched:
            yield Finding(
                device,
                "",
                "no-stale",
                ("没有 stale 规则：失联不会报故障", "no stale rule: nobody hears when it falls silent"),
                ("加 stale: {type: stale}", "add stale: {type: stale}"),
            )
