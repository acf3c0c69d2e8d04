"""Rules in words, and the words of an alarm, in Chinese and English. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import Value

BESIDE_ITS_LIMIT = {
    "zh": "{place} {device}：{value} {unit}，限值 {limit} {unit}",
    "en": "{place} {device}: {value} {unit}, limit {limit} {unit}",
}
BEYOND = {
    Quality.OVER_RANGE: {"zh": "超量程", "en": "over range"},
    Quality.UNDER_RANGE: {"zh": "低于量程", "en": "under range"},
}


def number(value: Value | None) -> str:
    """Return a value as people write it."""
    if value is None:
        return "?"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def span(seconds: float) -> str:
    """Return a duration as it is written in a site file."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def delays(on: float, off: float, samples: int = 1) -> dict[str, str]:
    """Return the timers in words, ready to be appended to a condition."""
    zh, en = "", ""
    if samples > 1:
        zh, en = f"，连续 {samples} 次", f" in {samples} samples"
    if on:
        zh, en = f"{zh}，持续 {span(on)}", f"{en} for {span(on)}"
    if off:
        zh, en = f"{zh}；恢复需 {span(off)}", f"{en}, clears after {span(off)}"
    return {"zh": zh, "en": en}


def fill(template: Mapping[str, str], words: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the message in each language of the template; `words` has a text per language for each name."""
    return {
        language: text.format_map({name: both.get(language, "") for name, both in words.items()})
        for language, text in template.items()
    }
