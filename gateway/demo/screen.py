"""What the demo shows: readings, alarms, lines and links, drawn from the daemon's own API."""

from __future__ import annotations

import shutil
from collections import deque
from typing import TYPE_CHECKING, Any

from gateway.cli.output import ago, number, pad, paint, width
from gateway.language import pick, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LEVELS = {
    1: ("41;97", "■", "红", "red"),
    2: ("38;5;208", "▲", "橙", "orange"),
    3: ("33", "◆", "黄", "yellow"),
}
LEVELS |= {4: ("34", "●", "蓝", "blue"), 0: ("35", "✖", "故障", "fault")}


def level_word(level: int) -> str:
    """Return shape and word of a level in the reader's language."""
    _, shape, zh, en = LEVELS.get(level, LEVELS[0])
    return f"{shape}{say(zh, en)}"


def clip(text: str, columns: int) -> str:
    """Return the text cut to the columns a terminal has."""
    while width(text) > columns:
        text = text[:-1]
    return text


class Screen:
    """Turns status, devices and alarms into lines of a terminal."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self.dramas: deque[str] = deque(maxlen=3)

    def draw(self, status: Mapping[str, Any], devices: Iterable[Mapping[str, Any]], alarms: list[Any]) -> str:
        """Return the whole screen as text."""
        columns, rows = shutil.get_terminal_size((100, 40))
        lines = [self._title(status), *self._lines(status), self._links(status), ""]
        lines += self._alarms(alarms, limit=max(4, rows // 4))
        lines += ["", *(f"  ▶ {drama}" for drama in self.dramas), ""] if self.dramas else [""]
        lines += self._devices(devices, rows - len(lines) - 1, columns)
        return "\n".join(clip(line, columns) if not self._colour else line for line in lines[: rows - 1])

    def line(self, status: Mapping[str, Any]) -> str:
        """Return one line about everything, for logs and pipes."""
        counts, alarms = status["counts"], status["alarms"]
        standing = " ".join(f"{level_word(int(k))}{n}" for k, n in alarms.items() if k != "unacked" and n)
        waiting = sum(lane["records"] for link in status["links"] for lane in link["backlog"].values())
        drama = f"  ▶ {self.dramas[-1]}" if self.dramas else ""
        return say(
            f"{ago(status['uptime'])}  轮询 {counts['polls']}  读数 {counts['readings']}  待确认 {waiting}  告警 {standing or '无'}",
            f"{ago(status['uptime'])}  polls {counts['polls']}  readings {counts['readings']}  waiting {waiting}"
            f"  alarms {standing or 'none'}",
        ) + drama

    def _title(self, status: Mapping[str, Any]) -> str:
        counts = status["counts"]
        name = paint(f" {pick(status['name'])} ", "1;7", on=self._colour)
        return f"{name}  {ago(status['uptime'])}  " + say(
            f"轮询 {counts['polls']}  读数 {counts['readings']}  事件 {counts['events']}",
            f"polls {counts['polls']}  readings {counts['readings']}  events {counts['events']}",
        )

    def _lines(self, status: Mapping[str, Any]) -> list[str]:
        out = []
        for line in status["lines"]:
            state = say("正常", "ok") if line["open"] else paint(say("中断", "down"), "31;1", on=self._colour)
            lost = f"  {say('失联', 'lost')}: {', '.join(line['lost'])}" if line["lost"] else ""
            out.append(
                f"  {pad(line['name'], 10)} {pad(state, 6)} {line['utilisation']:4.0%} {say('占用', 'busy')}"
                f"  {line['replies']}/{line['requests']} {say('应答', 'answered')}"
                f"  {line['timeouts']} {say('超时', 'timeouts')}  {line['crc_errors']} CRC{lost}"
            )
        return out

    def _links(self, status: Mapping[str, Any]) -> str:
        parts = []
        for link in status["links"]:
            up = (
                say("已连接", "connected")
                if link["connected"]
                else paint(say("断开", "away"), "31;1", on=self._colour)
            )
            receipt = say("回执", "last receipt") + " " + ago(link["receipt_age"])
            waiting = sum(lane["records"] for lane in link["backlog"].values())
            parts.append(f"  {pad(link['name'], 10)} {up}  {receipt}  {say('待确认', 'waiting')} {waiting}")
        return "\n".join(parts)

    def _alarms(self, alarms: list[Any], limit: int) -> list[str]:
        if not alarms:
            return ["  " + say("无告警", "no alarms")]
        out = []
        for alarm in alarms[:limit]:
            mark = paint(
                level_word(alarm["level"]), LEVELS.get(alarm["level"], LEVELS[0])[0], on=self._colour
            )
            where = (alarm.get("place") or {}).get("text") or alarm["device"]
            out.append(f"  {mark} {alarm['letter']} {ago(alarm['age'])}  {where}  {pick(alarm['message'])}")
        if len(alarms) > limit:
            out.append(f"  … +{len(alarms) - limit}")
        return out

    def _devices(self, devices: Iterable[Mapping[str, Any]], rows: int, columns: int) -> list[str]:
        half = max(columns // 2, 40)
        cells = []
        for device in devices:
            parts = []
            for name, point in list(device["points"].items()):
                if point["quality"] == "good" and isinstance(point["value"], (int, float)):
                    parts.append(f"{name}={number(point['value'])}{point['unit']}")
                elif point["quality"] != "good":
                    parts.append(f"{name}=?{point['quality']}")
            cells.append(clip(pad(f"  {pad(device['name'], 12)} {' '.join(parts)}", half - 1), half - 1))
        out = [" ".join(cells[i : i + 2]) for i in range(0, len(cells), 2)] if columns >= 90 else cells
        return out[: max(rows, 0)]
