"""What the demo shows: readings, alarms, lines and links, drawn from the daemon's own API."""

from __future__ import annotations

import shutil
from collections import deque
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from gateway.cli.interlock_words import standing
from gateway.cli.output import ago, clip, number, pad, paint
from gateway.language import pick, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LEVELS = {
    1: ("41;97", "■", "红", "red"),
    2: ("38;5;208", "▲", "橙", "orange"),
    3: ("33", "◆", "黄", "yellow"),
    4: ("34", "●", "蓝", "blue"),
    0: ("35", "✖", "故障", "fault"),
}
BAD = "31;1"
CELL = 50  # columns a device wants; as many stand side by side as the terminal has room for
TELLING = ("lel", "co", "residual_current", "cable_temperature", "tilt", "current", "power", "temperature")
HOME, TO_LINE_END, TO_SCREEN_END = "\x1b[H", "\x1b[K", "\x1b[J"


def level_word(level: int) -> str:
    """Return shape and word of a level in the reader's language."""
    _, shape, zh, en = LEVELS.get(level, LEVELS[0])
    return f"{shape}{say(zh, en)}"


def repaint(lines: Iterable[str]) -> str:
    """Return what draws the lines over the last picture: without clearing first, so nothing flickers."""
    return HOME + "\n".join(line + TO_LINE_END for line in lines) + TO_SCREEN_END


class Screen:
    """Turns status, devices and alarms into lines of a terminal."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self.dramas: deque[str] = deque(maxlen=3)

    def draw(
        self,
        status: Mapping[str, Any],
        devices: Sequence[Mapping[str, Any]],
        alarms: Sequence[Mapping[str, Any]],
        size: tuple[int, int] | None = None,
    ) -> list[str]:
        """Return the lines of the whole screen, none wider than the terminal and no more than it has rows."""
        columns, rows = size or shutil.get_terminal_size((100, 40))
        lines = [self._title(status), *self._lines(status), *self._links(status), ""]
        lines += self._alarms(alarms, limit=max(3, rows // 4))
        lines += [f"  ⇥ {standing(each)}" for each in status.get("interlocks", ()) if each["last"]]
        lines += [f"  ▶ {drama}" for drama in self.dramas]
        worse = {alarm["device"] for alarm in alarms}
        ordered = sorted(devices, key=lambda device: device["name"] not in worse and _well(device))
        lines += ["", *self._devices(devices, ordered, rows - len(lines) - 2, columns)]
        return [clip(line, columns) for line in lines[: rows - 1]]

    def line(self, status: Mapping[str, Any]) -> str:
        """Return one line about everything, for logs and pipes."""
        counts, alarms = status["counts"], status["alarms"]
        standing = " ".join(f"{level_word(int(k))}{n}" for k, n in alarms.items() if k != "unacked" and n)
        waiting = sum(lane["records"] for link in status["links"] for lane in link["backlog"].values())
        parts = [
            ago(status["uptime"]),
            f"{say('轮询', 'polls')} {counts['polls']}",
            f"{say('读数', 'readings')} {counts['readings']}",
            f"{say('待确认', 'waiting')} {waiting}",
            f"{say('告警', 'alarms')} {standing or say('无', 'none')}",
        ]
        return "  ".join(parts + [f"▶ {drama}" for drama in list(self.dramas)[-1:]])

    def _title(self, status: Mapping[str, Any]) -> str:
        counts = status["counts"]
        name = paint(f" {pick(status['name'])} ", "1;7", on=self._colour)
        return f"{name}  {ago(status['uptime'])}  " + say(
            f"轮询 {counts['polls']}  读数 {counts['readings']}  事件 {counts['events']}",
            f"polls {counts['polls']}  readings {counts['readings']}  events {counts['events']}",
        )

    def _lines(self, status: Mapping[str, Any]) -> list[str]:
        return [self._line(line) for line in status["lines"]]

    def _line(self, line: Mapping[str, Any]) -> str:
        if not line["open"]:
            state = paint(say("中断", "down"), BAD, on=self._colour)
        elif line["silent"]:
            state = paint(say("无应答", "silent"), BAD, on=self._colour)
        else:
            state = say("正常", "ok")
        lost = f"  {say('失联', 'lost')}: {', '.join(line['lost'])}" if line["lost"] else ""
        return (
            f"  {pad(line['name'], 10)} {pad(state, 6)} {line['utilisation']:4.0%} {say('占用', 'busy')}"
            f"  {line['replies']}/{line['requests']} {say('应答', 'answered')}"
            f"  {line['timeouts']} {say('超时', 'timeouts')}  {line['crc_errors']} CRC{lost}"
        )

    def _links(self, status: Mapping[str, Any]) -> list[str]:
        return [self._link(link) for link in status["links"]]

    def _link(self, link: Mapping[str, Any]) -> str:
        away = paint(say("断开", "away"), BAD, on=self._colour)
        up = say("已连接", "connected") if link["connected"] else away
        receipt = f"{say('回执', 'last receipt')} {ago(link['receipt_age'])}"
        waiting = sum(lane["records"] for lane in link["backlog"].values())
        return f"  {pad(link['name'], 10)} {up}  {receipt}  {say('待确认', 'waiting')} {waiting}"

    def _alarms(self, alarms: Sequence[Mapping[str, Any]], limit: int) -> list[str]:
        if not alarms:
            return ["  " + say("无告警", "no alarms")]
        shown = [self._alarm(alarm) for alarm in alarms[:limit]]
        more = len(alarms) - limit
        return [*shown, f"  … +{more}"] if more > 0 else shown

    def _alarm(self, alarm: Mapping[str, Any]) -> str:
        colour = LEVELS.get(alarm["level"], LEVELS[0])[0]
        mark = pad(paint(level_word(alarm["level"]), colour, on=self._colour), 7)
        where = (alarm.get("place") or {}).get("text") or alarm["device"]
        said = pick(alarm["message"]).removeprefix(where).lstrip(": ")
        return f"  {mark} {alarm['letter']} {pad(ago(alarm['age']), 6)} {where}  {said}"

    def _devices(
        self,
        devices: Sequence[Mapping[str, Any]],
        ordered: Sequence[Mapping[str, Any]],
        rows: int,
        columns: int,
    ) -> list[str]:
        """Return the devices, as many columns of them as fit; as `ordered` where not all do."""
        across = max(columns // CELL, 1)
        rows = max(rows, 0)
        if len(devices) > rows * across:
            devices = ordered[: max(rows - 1, 0) * across]
            rest = [say("  … 其余设备略", "  … and more devices")] if rows else []
        else:
            rest = []
        wide = columns // across
        cells = [pad(clip(self._device(device), wide - 1), wide) for device in devices]
        height = -(-len(cells) // across)
        down = [cells[i * height : (i + 1) * height] for i in range(across)]
        return ["".join(row).rstrip() for row in zip_longest(*down, fillvalue="")] + rest

    def _device(self, device: Mapping[str, Any]) -> str:
        parts = []
        for name, point in sorted(device["points"].items(), key=_telling):
            value = point["value"]
            if point["quality"] != "good":
                parts.append(paint(f"{name}=?{point['quality']}", BAD, on=self._colour))
            elif isinstance(value, int | float) and not isinstance(value, bool):
                parts.append(f"{name}={number(value, 4)}{point['unit']}")
        return f"  {pad(device['name'], 12)} {' '.join(parts)}"


def _telling(point: tuple[str, Any]) -> int:
    """Return how far behind a point stands where there is no room for all."""
    return TELLING.index(point[0]) if point[0] in TELLING else len(TELLING)


def _well(device: Mapping[str, Any]) -> bool:
    return device["state"] in {"live", "quiet"} and all(
        p["quality"] == "good" for p in device["points"].values()
    )
