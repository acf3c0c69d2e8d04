"""What can be wrong with the gateway itself, as rules like any other, judged by its own alarm engine.

The gateway is the device `gateway`, each line is `line.NAME`: no device of a site has a dot in its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import AlarmClass
from rules.conditions import AlarmSpec, Context, Limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rules.interlock import Interlock

GATEWAY = "gateway"
EVERY = 5.0  # seconds between two looks at ourselves
GATEWAY_UNITS = {
    "broker_away": "s", "alarm_unsent": "s", "telemetry_dropped": "", "alarms_in_memory": "",
    "telemetry_waiting": "", "space_low": "", "loop_lag": "s", "files_damaged": "", "lines_down": "s",
    "clock_step": "s",
}  # fmt: skip
LINE_UNITS = {"down": "s", "utilisation": "", "missed": ""}
LINE_DOWN, LINES_DOWN = "line-down", "lines-down"
SEVERAL = 3  # lines that can fail together: then the gateway's own fault gets a head start


def line_device(line: str) -> str:
    """Return the name under which a line is watched."""
    return f"line.{line}"


def _rule(
    name: str, point: str, limit: float, zh: str, en: str, *, on: float = 0.0, off: float = 0.0
) -> Limit:
    return Limit(
        name=name, point=point, limit=limit, on_delay=on, off_delay=off, level=0,
        alarm_class=AlarmClass.SYSTEM, message={"zh": zh, "en": en}, auto_ack=True,
    )  # fmt: skip


def gateway_rules() -> Iterator[Limit]:
    """Yield the rules about the gateway."""
    # GB 26875.1-2011: a failed transmission must be signalled on site; here within 10 s.
    yield _rule(
        "alarm-undelivered",
        "alarm_unsent",
        10,
        "告警 {value} s 未送达",
        "an alarm is undelivered for {value} s",
    )
    yield _rule("broker-away", "broker_away", 10, "消息服务器失联 {value} s", "broker away for {value} s")
    yield _rule(
        "telemetry-lost",
        "telemetry_dropped",
        1,
        "有 {value} 条读数未送达就被丢弃",
        "{value} readings dropped unsent",
    )
    yield _rule(
        "alarms-in-memory",
        "alarms_in_memory",
        1,
        "磁盘拒写，告警只在内存中",
        "the disk refuses: alarms in memory only",
    )
    yield _rule(
        "telemetry-waiting",
        "telemetry_waiting",
        1,
        "磁盘拒写，读数暂存内存",
        "the disk refuses: readings in memory",
        on=10,
    )
    yield _rule("space-low", "space_low", 1, "磁盘空间不足", "disk space is low", on=10, off=60)
    zh, en = "日志有损坏，已隔离", "something in the journal was damaged and set aside"
    yield _rule("file-damaged", "files_damaged", 1, zh, en)
    yield _rule(LINES_DOWN, "lines_down", 5, "多数线路同时中断", "most lines went down together")
    zh, en = "系统时钟被拨动 {value} s", "the clock was set by {value} s"
    yield _rule("clock-stepped", "clock_step", 1, zh, en, off=60)
    yield _rule("loop-slow", "loop_lag", 1, "主循环滞后 {value} s", "event loop late by {value} s", off=60)


def line_rules(lines: int = 1) -> Iterator[Limit]:
    """Yield the rules about a line of a gateway that has so many; see `rules.roots` for "down"."""
    zh, en = (
        "线路中断 {value} s：端口故障或多数设备无应答",
        "line down for {value} s: no port, or most devices silent",
    )
    yield _rule(LINE_DOWN, "down", 5 if lines < SEVERAL else 15, zh, en)
    yield _rule("line-overfull", "utilisation", 0.98, "线路过载", "the line is overfull", on=60, off=60)


def specs(lines: Iterable[str]) -> Iterator[AlarmSpec]:
    """Yield the alarms of the gateway and of its lines."""
    place = {"zh": "网关", "en": "gateway"}
    for rule in gateway_rules():
        yield AlarmSpec(GATEWAY, rule, Context(GATEWAY_UNITS[rule.point], place, EVERY))
    named = list(lines)
    rules = tuple(line_rules(len(named)))
    for line in named:
        place = {"zh": f"线路 {line}", "en": f"line {line}"}
        for rule in rules:
            yield AlarmSpec(line_device(line), rule, Context(LINE_UNITS[rule.point], place, EVERY))


def interlock_specs(interlocks: Iterable[Interlock]) -> Iterator[AlarmSpec]:
    """Yield the alarm of each interlock: the cut-off that did not happen."""
    rule = Limit(
        name="interlock-failed",
        point="failed",
        limit=1,
        level=1,
        alarm_class=AlarmClass.SAFETY,
        latch=True,
        protected=True,
        chatter_hold=False,
        message={
            "zh": "{place} 未完成：指令未得到回读证实",
            "en": "{place}: not done, no read-back proves it",
        },
    )
    for interlock in interlocks:
        order = interlock.order
        target = f"{order.device}.{order.point} = {order.value}"
        place = {"zh": f"联锁 {interlock.name}（{target}）", "en": f"interlock {interlock.name} ({target})"}
        yield AlarmSpec(interlock.device, rule, Context("", place, EVERY))
