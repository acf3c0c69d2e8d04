"""`tocsin status`: one screen of health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.cli import interlock_words
from gateway.cli.client import Daemon, add_daemon, socket_of
from gateway.cli.output import add_output, ago, colours, pad, paint, print_json, print_text
from gateway.language import pick, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

LEVELS = ("1", "2", "3", "4", "fault")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = subparsers.add_parser("status", help=say("运行状况一览", "one screen of health"))
    add_daemon(parser)
    add_output(parser)
    parser.add_argument(
        "--check",
        choices=LEVELS,
        help=say("有该级别或更严重的告警时退出码为 4", "exit 4 if an alarm of this level or worse stands"),
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show it; with --check 4 when something stands."""
    status = Daemon(socket_of(args)).get("/status")
    if args.output == "json":
        print_json(status)
    else:
        for line in screen(status):
            print_text(line, 4)
    return 4 if args.check and found(status, args.check) else 0


def found(status: dict[str, Any], level: str) -> bool:
    """Return whether an alarm of this level or worse stands; a fault ranks behind blue."""
    asked = LEVELS[: LEVELS.index(level) + 1]
    return any(status["alarms"]["0" if wanted == "fault" else wanted] for wanted in asked)


def screen(status: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the screen."""
    data, host = status["data"], status["host"]
    clock = (
        say("时钟已同步", "clock synced") if status["clock_synced"] else say("时钟未同步", "clock not synced")
    )
    running = say("运行", "running")
    name = f"{status['gateway']} {pick(status['name'])}"
    yield f"● {name}   {running} {ago(status['uptime'])}   v{status['version']}   {clock}"
    yield named("告警", "alarms", alarm_counts(status["alarms"]))
    good, oldest = f"{data['good']}/{data['points']}", ago(data["oldest_good"])
    yield named(
        "数据", "data", say(f"{good} 点正常   最旧 {oldest}", f"{good} points good   oldest good {oldest}")
    )
    for line in status["lines"]:
        yield named("线路", "line", line_words(line))
    for link in status["links"]:
        yield named("链路", "link", link_words(link))
    for interlock in status.get("interlocks", ()):  # a daemon of before had none
        yield named("联锁", "interlock", interlock_words.standing(interlock))
    heat = "" if host["temperature"] is None else f"  {host['temperature']:.0f} °C"
    free = f"{say('磁盘余', 'disk free')} {host['disk_free'] / 1e9:.1f} GB"
    yield named(
        "主机", "host", f"rss {host['rss'] / 1e6:.0f} MB  cpu {host['cpu_seconds']:.0f} s{heat}  {free}"
    )
    yield from work_lines(status)
    yield from complaints(status)


def work_lines(status: dict[str, Any]) -> Iterator[str]:
    """Yield how the alarms serve their people, the state of the books, and the drill that goes on."""
    kpi, audit, drill = status["kpi"], status["audit"], status["drill"]
    chatter = kpi["chattering"]
    day, peak, ack = kpi["annunciated_day"], kpi["peak_10min"], ago(kpi["ack_p95"])
    hidden = kpi["shelved"] + kpi["out_of_service"]
    flood = say("  ！告警洪泛", "  ! flood") if kpi["flood"] else ""
    yield named(
        "指标",
        "figures",
        say(
            f"24 h 告警 {day}  10 min 峰值 {peak}  确认 p95 {ack}  抖动 {chatter}  搁置/停用 {hidden}",
            f"{day} alarms in 24 h  peak {peak} in 10 min  ack p95 {ack}  {chatter} chattering"
            f"  {hidden} hidden by people",
        )
        + flood,
    )
    yield named("审计", "audit", f"{audit['n']} {audit['hash'][:16]}")
    if drill is not None:
        left, tested = ago(drill["left"]), drill["heard"]
        yield named(
            "演练",
            "drill",
            say(
                f"【演练】{drill['scope']}  剩余 {left}  已测 {tested}  {drill['reason']}",
                f"[DRILL] {drill['scope']}  {left} left  {tested} heard  {drill['reason']}",
            ),
        )


def named(zh: str, en: str, text: str) -> str:
    """Return a line of the screen."""
    return f"  {pad(say(zh, en), 8)} {text}"


def alarm_counts(alarms: dict[str, int]) -> str:
    """Return how many alarms stand on each level."""
    on = colours()
    words = {
        "1": ("红", "red"),
        "2": ("橙", "orange"),
        "3": ("黄", "yellow"),
        "4": ("蓝", "blue"),
        "0": ("故障", "fault"),
    }
    parts = [
        paint(f"{alarms[key]} {say(*word)}", "1", on=on and alarms[key] > 0) for key, word in words.items()
    ]
    asking = alarms["asking"]
    more = "  " + say(f"{asking} 待填处置结论", f"{asking} to say what they were") if asking else ""
    return f"{'  '.join(parts)}  | {alarms['unacked']} {say('未确认', 'unacked')}{more}"


def line_words(line: dict[str, Any]) -> str:
    """Return one line's state."""
    state = say("正常", "ok") if line["open"] and not line["silent"] else say("故障", "DOWN")
    rate = line["timeouts"] / line["requests"] if line["requests"] else 0.0
    busy, crc, missed = line["utilisation"], line["crc_errors"], line["missed"]
    figures = say(
        f"占用 {busy:.0%}  超时 {rate:.1%}  校验错 {crc}  错过 {missed}",
        f"{busy:.0%} busy  {rate:.1%} timeouts  {crc} CRC  {missed} missed",
    )
    if (connected := line.get("connections")) is not None:
        rate = line["crc_errors"] / line["bytes_in"] if line["bytes_in"] else 0.0
        figures = say(
            f"占用 {busy:.0%}  连接 {connected}  帧 {line['replies']}  无用字节 {rate:.1%}  丢弃 {missed}",
            f"{busy:.0%} busy  {connected} connected  {line['replies']} frames"
            f"  {rate:.1%} of bytes no frame  {missed} dropped",
        )
    lost = f"   {say('失联', 'lost')}: {', '.join(line['lost'])}" if line["lost"] else ""
    return f"{line['name']} {state}  {figures}{lost}"


def link_words(link: dict[str, Any]) -> str:
    """Return one link's state."""
    state = say("已连接", "connected") if link["connected"] else f"{say('断开', 'AWAY')} ({link['why']})"
    waiting = "  ".join(f"{lane_word(name)} {lane['records']}" for name, lane in link["backlog"].items())
    receipt = ago(link["receipt_age"])
    figures = say(f"最近回执 {receipt}  待确认：{waiting}", f"last receipt {receipt}  waiting: {waiting}")
    return f"{link['name']} {state}  {figures}"


def lane_word(name: str) -> str:
    """Return what goes over a lane, in the reader's language."""
    words = {"alarm": ("告警", "alarm"), "telemetry": ("读数", "telemetry"), "health": ("状态", "health")}
    return say(*words.get(name, (name, name)))


def complaints(status: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong and what to do about it."""
    for line in status["lines"]:
        for stranger in line.get("strangers", ()):
            who, peer, name = stranger["who"], stranger["from"], line["name"]
            yield say(
                f"! {who} 在线路 {name} 上说话（来自 {peer}），但站点文件里没有它",
                f"! {who} speaks on line {name} (from {peer}) but is not in the site file",
            )
        for device in line["lost"]:
            yield say(
                f"! {device} 无应答 — 试试：tocsin devices show {device}",
                f"! {device} does not answer — try: tocsin devices show {device}",
            )
    if dropped := status["store"]["dropped_rows"]:
        yield say(
            f"! {dropped} 条读数未送达就被丢弃",
            f"! {dropped} readings were dropped before they were delivered",
        )
    if why := status["store"]["why"]:
        yield say(f"! 磁盘：{why}", f"! disk: {why}")
    for device, days in status["calibration_due"].items():
        yield say(f"! {device} 校准已过期 {days} 天", f"! {device}: calibration overdue by {days} d")
