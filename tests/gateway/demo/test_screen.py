"""The picture of the demo: inside the terminal, in both languages, with and without colours."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.cli.output import ago, clip, fit, number, print_table, width
from gateway.demo.screen import HOME, Screen, repaint

STATUS: dict[str, Any] = {
    "name": {"zh": "绿景社区一号网关（演示）", "en": "Lvjing gateway 1 (demo)"},
    "uptime": 75.0,
    "counts": {"polls": 1000, "readings": 5000, "events": 12},
    "alarms": {"1": 1, "2": 0, "3": 0, "4": 0, "0": 2, "unacked": 3},
    "lines": [
        {"name": f"rs485-{n}", "open": n != 2, "silent": n == 3, "utilisation": 0.66, "replies": 99, "requests": 101,
         "timeouts": 2, "crc_errors": 0, "lost": [f"gas-b1-{i:02d}" for i in range(9)]}
        for n in range(1, 4)
    ],
    "links": [
        {"name": name, "connected": name == "mqtt", "receipt_age": 1.0, "backlog": {"alarm": {"records": 1}, "telemetry": {"records": 2}}}
        for name in ("mqtt", "fire_center")
    ],
}  # fmt: skip
DEVICES = [
    {"name": f"gas-b1-{n:02d}", "state": "live", "points": {
        "humidity": {"value": 45.0, "unit": "%RH", "quality": "good"},
        "lel": {"value": 1.23456789, "unit": "%LEL", "quality": "good" if n != 30 else "no_answer"},
    }}
    for n in range(1, 41)
]  # fmt: skip
ALARMS = [
    {"device": f"gas-b1-{40 - n:02d}", "level": n % 5, "letter": "B", "age": 12.0 * n, "place": {"text": f"{n}号楼 B1 车库"},
     "message": {"zh": f"{n}号楼 B1 车库 可燃气体一级报警 35%LEL" * 3, "en": f"{n}号楼 B1 车库: combustible gas" * 4}}
    for n in range(1, 13)
]  # fmt: skip
SGR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [(100, 40), (80, 24), (200, 60), (40, 12), (20, 5)])
def test_the_picture_stays_inside_the_terminal(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], language: str, colour: bool
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", language)
    screen = Screen(colour=colour)
    screen.dramas.append("gas-b1-07: 燃气泄漏")
    lines = screen.draw(STATUS, DEVICES, ALARMS, size)
    assert len(lines) < size[1]
    for line in lines:
        assert width(line) <= size[0], line
        assert "\n" not in line
        assert colour or "\x1b" not in line
        if "\x1b" in line:
            assert SGR.findall(line)[-1] == "\x1b[0m", "a colour that was cut is switched off"


def test_devices_in_trouble_come_first_where_not_all_have_room() -> None:
    shown = "\n".join(Screen(colour=False).draw(STATUS, DEVICES, ALARMS[:1], (80, 24)))
    assert "gas-b1-39" in shown, "its alarm stands"
    assert "gas-b1-30" in shown, "it does not answer"
    assert "gas-b1-20" not in shown


def test_what_tells_most_of_a_device_comes_first() -> None:
    shown = "\n".join(Screen(colour=False).draw(STATUS, DEVICES[:1], [], (80, 24)))
    assert "lel=1.235%LEL humidity=45%RH" in shown


def test_every_line_and_every_link_has_a_row_with_its_state() -> None:
    shown = Screen(colour=False).draw(STATUS, [], [], (200, 40))
    assert [line.split()[:2] for line in shown[1:6]] == [
        ["rs485-1", "ok"],
        ["rs485-2", "down"],
        ["rs485-3", "silent"],
        ["mqtt", "connected"],
        ["fire_center", "away"],
    ]


def test_one_line_for_logs_says_what_stands() -> None:
    assert (
        Screen(colour=False).line(STATUS)
        == "01:15  polls 1000  readings 5000  waiting 6  alarms ■red1 ✖fault2"
    )


def test_a_new_picture_leaves_nothing_of_the_old_one() -> None:
    drawn = repaint(["a", "b"])
    assert drawn.startswith(HOME)
    assert drawn.count("\x1b[K") == 2
    assert drawn.endswith("\x1b[J")


@pytest.mark.parametrize(
    ("text", "columns", "wanted"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("燃气泄漏", 8, "燃气泄漏"),
        ("燃气泄漏", 7, "燃气泄…"),
        ("燃气泄漏", 6, "燃气…"),
        ("\x1b[31mabcd\x1b[0m", 4, "\x1b[31mabcd\x1b[0m"),
        ("\x1b[31mabcd\x1b[0m", 3, "\x1b[31mab…\x1b[0m"),
    ],
)
def test_a_text_is_cut_by_columns_not_by_characters(text: str, columns: int, wanted: str) -> None:
    assert clip(text, columns) == wanted


def test_the_widest_column_gives_way() -> None:
    assert fit([5, 60, 30], 80) == [5, 41, 30]
    assert fit([5, 60, 30], 20) == [5, 8, 8]
    assert fit([5, 6], 80) == [5, 6]


def test_a_table_is_whole_in_a_pipe_and_what_a_device_says_cannot_break_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(["A", "位置"], [["x\ny\x1b[2J", "1号楼"], [None, "long " * 40]])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["A        位置", "x y [2J  1号楼"]
    assert len(lines) == 3
    assert width(lines[2]) > 190


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (None, "-"),
        (-1, "0.0 s"),
        (0.44, "0.4 s"),
        (42, "42 s"),
        (200, "03:20"),
        (3661, "01:01:01"),
        (183060, "2 d 02:51"),
    ],
)
def test_an_age_is_said_as_people_read_one(seconds: float | None, wanted: str) -> None:
    assert ago(seconds) == wanted


def test_numbers_have_the_digits_asked_for() -> None:
    assert [number(1.23456789), number(1.23456789, 4), number(3), number("open")] == [
        "1.23457", "1.235", "3", "open",
    ]  # fmt: skip
