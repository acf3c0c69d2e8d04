"""A curve in text and in SVG: what stood out is never lost, and a Chinese terminal shows it straight."""

from __future__ import annotations

from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from wcwidth import wcswidth

from gateway import plot

SINCE, UNTIL = 1_790_000_000 * 10**9, 1_790_086_400 * 10**9


def picture(name: str = "today", peak: float = 900.0) -> plot.Picture:
    curve = plot.Curve(SINCE, UNTIL)
    for i in range(0, 86_400, 10):
        curve.add(SINCE + i * 10**9, 280.0 + i % 7)
    curve.add(SINCE + 43_200 * 10**9, peak)
    curve.add(SINCE, "word")
    marks = (plot.Marks(name, (300.0,), [SINCE + 43_200 * 10**9]), plot.Marks("拟改", (320.0,), []))
    return plot.Picture("efd-1 <剩余电流> (mA)", curve, marks, ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize("name", ["today", "现行"])
def test_every_line_fits_and_the_bars_stand_above_each_other(name: str) -> None:
    lines = plot.text(picture(name), 80)
    assert max(wcswidth(line) for line in lines) <= 80
    edges = {wcswidth(line[: line.index("|")]) for line in lines if "|" in line}
    assert len(edges) == 1
    assert all(ord(ch) < 128 for line in lines[1:] for ch in line.replace(name, "").replace("拟改", ""))


def test_one_spike_in_a_day_is_seen_with_its_mark_below() -> None:
    lines = plot.text(picture(), 80)
    spike = lines[1].rstrip()
    assert spike.count("#") == 1
    today = next(line for line in lines if "today" in line)
    assert today.index("^") == spike.index("#")


def test_limits_are_drawn() -> None:
    lines = plot.text(picture(peak=290.0), 80, rows=20)
    assert any("---" in line for line in lines[1:21])
    assert any("===" in line for line in lines[1:21])


def test_an_svg_is_well_formed_and_small() -> None:
    text = plot.svg(picture())
    root = ET.fromstring(text)
    assert root.tag.endswith("svg")
    assert "efd-1 <剩余电流> (mA)" in {e.text for e in root.iter()}
    assert len(text) < 60_000


def test_a_hole_in_the_record_is_a_hole_in_the_curve() -> None:
    curve = plot.Curve(SINCE, UNTIL)
    for hour in (*range(6), *range(12, 24)):
        for minute in range(60):
            curve.add(SINCE + (hour * 60 + minute) * 60 * 10**9, 280.0)
    text = plot.svg(plot.Picture("x", curve, (), ZoneInfo("UTC")))
    (drawn,) = [d for e in ET.fromstring(text).iter() if (d := e.get("d", "")).count("V") > 10]
    assert drawn.startswith("M")
    assert drawn.count("M") == 2, "one stretch before the hole, one after it"
    assert drawn.count("L") > 100


def test_nothing_recorded_can_be_drawn_too() -> None:
    empty = plot.Picture("x", plot.Curve(5, 5), (), ZoneInfo("UTC"))
    assert plot.text(empty, 40)
    ET.fromstring(plot.svg(empty))


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-5.0, 105.0), (0.00012, 0.00019), (1e6, 3e6)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    ticks = plot.ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert all(low <= tick <= high for tick in ticks)
