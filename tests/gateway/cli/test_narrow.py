"""A phone of 48 columns, on a real terminal: no name and no time is cut, nothing is wider; a pipe has whole rows."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Any

import pytest

from gateway.cli import main
from gateway.cli.layout import fold, table, width

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = 48
NAME = "gas-b1-07/lel-high"
PLACE = "3号楼 B1 车库"
TITLE = {
    "zh": f"{PLACE} gas-b1-07 {PLACE}：甲烷 40 %LEL，限值 25 %LEL，请立即关阀并疏散",
    "en": f"{PLACE} gas-b1-07 {PLACE}: methane 40 %LEL, limit 25 %LEL, close the valve and leave",
}
NOW = time.time_ns()
OLD = 1795404583000000000  # 2026-11-23 11:29:43 in Shanghai


def shown_on_a_phone(*argv: str, language: str = "en") -> list[str]:
    """Run the command on a terminal of 48 columns; return its lines."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    env = {k: v for k, v in os.environ.items() if k != "COLUMNS"} | {"TOCSIN_LANG": language, "TZ": "UTC"}
    run = subprocess.Popen([sys.executable, "-m", "gateway.cli", *argv], stdin=theirs, stdout=theirs, env=env)
    os.close(theirs)
    raw = b""
    while data := _read(ours):
        raw += data
    assert run.wait(30) == 0
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;]*m", "", raw.decode()).replace("\r\n", "\n").rstrip("\n").split("\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody has the other end any more
        return b""


LOCK: dict[str, Any] = {"name": "gas-valve-b1", "device": "valve-b1", "point": "valve", "value": "closed"}
LOCK |= {"when": [NAME], "state": "idle", "causes": [], "held_back": False, "errand": None}
LOCK |= {"last": {"at": NOW - 60 * 10**9, "value": "closed", "proven": True}}
ABOUT: dict[str, Any] = {"device": "gas-b1-07", "rule": "lel-high", "title": TITLE}


def audit() -> list[dict[str, Any]]:
    event = {"type": "event", "event": "raise", **ABOUT, "where": {"text": PLACE}}
    act = {"type": "action", "task": "ack", "outcome": "refused", "why": "role", **ABOUT}
    act |= {"who": {"name": "wang", "role": "duty"}, "comment": "已派电工到现场处理，请物业配合"}
    return [
        {"n": 1204, "at": NOW, "entry": event, "hash": "00"},
        {"n": 1205, "at": OLD, "entry": act, "hash": "00"},
    ]


def past() -> dict[str, Any]:
    line = ABOUT | {"level": 2, "activations": 1, "value": 40.0, "unit": "%LEL", "occurrence": "1.1"}
    line |= {
        "began": OLD,
        "raised": OLD,
        "acked": OLD + 10**9,
        "cleared": None,
        "closed": OLD,
        "class": "gas",
    }
    return line | {"acked_by": "wang@duty", "disposition": "false: cooking in the garage", "status": "Actual"}


def drill(running: dict[str, Any]) -> dict[str, Any]:
    line = ABOUT | {
        "heard": True,
        "at": OLD,
        "after": 1.0,
        "announced": OLD,
        "response": 1.0,
        "overdue": False,
    }
    return running | {"ended": OLD, "began": OLD, "running": False, "detectors": [line]}


@pytest.fixture
def site(answers: dict[str, Any], serve: Callable[[dict[str, Any]], str]) -> str:
    """A daemon of a site in Shanghai, with long names."""
    alarm = answers["/api/v1/alarms"][0] | ABOUT | {"message": TITLE, "acked_by": "wang@duty"}
    alarm["place"] = {"text": PLACE}
    told = answers["/api/v1/notices?limit=50"]
    told["notices"] = [told["notices"][0] | {"at": NOW, "title": TITLE}]
    shown = answers["/api/v1/alarms/box-1/lel-high"] | alarm
    shown |= {
        "timeline": [shown["timeline"][0] | {"at": OLD}],
        "notices": told["notices"],
        "interlocks": [LOCK],
    }
    status = answers["/api/v1/status"] | {"timezone": "Asia/Shanghai", "interlocks": [LOCK]}
    return serve(
        {
            "/api/v1/status": status,
            "/api/v1/alarms": [alarm],
            f"/api/v1/alarms/{NAME}": shown,
            "/api/v1/notices": told,
            "/api/v1/audit": audit(),
            "/api/v1/occurrences": [past()],
            "/api/v1/drill": drill(status["drill"]),
            "/api/v1/devices": answers["/api/v1/devices"],
        }
    )


LOOKS = (
    ("status",),
    ("alarms", "list"),
    ("alarms", "show", NAME),
    ("alarms", "history"),
    ("alarms", "notices"),
    ("events", "tail"),
    ("drill", "report"),
    ("devices", "list"),
)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("look", LOOKS, ids=" ".join)
def test_nothing_is_wider_than_a_phone_and_nothing_is_cut(
    site: str, look: tuple[str, ...], language: str
) -> None:
    lines = shown_on_a_phone(*look, "--socket", site, language=language)
    assert max(map(width, lines)) <= COLUMNS
    assert "…" not in "".join(lines)


@pytest.mark.parametrize(
    "look", [("alarms", "list"), ("alarms", "history"), ("events", "tail")], ids=" ".join
)
def test_a_name_to_be_typed_again_stands_whole_in_one_line(site: str, look: tuple[str, ...]) -> None:
    assert any(NAME in line for line in shown_on_a_phone(*look, "--socket", site))


def test_a_time_is_whole_and_has_its_date_when_it_is_not_of_today(site: str) -> None:
    lines = shown_on_a_phone("events", "tail", "--socket", site)
    of_today = r"1204  (\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d"  # it was today when the test began
    assert any(re.match(of_today, line) for line in lines)
    assert any("1205  2026-11-23 11:29:43" in line for line in lines)
    assert any(
        "2026-11-23 11:29:43" in line for line in shown_on_a_phone("alarms", "history", "--socket", site)
    )


def test_what_checks_a_site_fits_a_phone(tmp_path: Any) -> None:
    from small_gateway import write_site  # noqa: PLC0415

    lines = shown_on_a_phone("check", "-c", str(write_site(tmp_path)))
    assert max(map(width, lines)) <= COLUMNS
    assert any("test/box" in line for line in lines)
    assert ", 1 line, " in lines[0]


def test_a_profile_fits_a_phone() -> None:
    lines = shown_on_a_phone("profiles", "show", "gas/oem-module", language="zh")
    assert max(map(width, lines)) <= COLUMNS


def test_a_pipe_gets_one_line_for_each_row(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    for look in (("alarms", "list"), ("alarms", "history"), ("alarms", "notices"), ("events", "tail")):
        assert main([*look, "--socket", site]) == 0
        assert [line for line in capsys.readouterr().out.splitlines() if line.startswith(" ")] == []


ROWS = [
    ("NAME", "TIME", "WHAT"),
    ("gas-b1-07/lel-high", "11:29:43", "methane rises in the garage of house 3"),
]


def test_a_table_that_fits_is_a_table() -> None:
    assert list(table(ROWS, 80))[1] == "gas-b1-07/lel-high  11:29:43  methane rises in the garage of house 3"


def test_a_long_text_is_wrapped_in_its_column_while_there_is_room() -> None:
    assert list(table(ROWS, 60)) == [
        "NAME                TIME      WHAT",
        "gas-b1-07/lel-high  11:29:43  methane rises in the garage of",
        "                              house 3",
    ]


def test_a_row_that_does_not_fit_is_a_key_line_and_the_rest_below_it() -> None:
    assert list(table(ROWS, 40)) == [
        "NAME                TIME",
        "  WHAT",
        "gas-b1-07/lel-high  11:29:43",
        "  methane rises in the garage of house 3",
    ]


def test_spare_columns_go_first() -> None:
    assert list(table(ROWS, 30, spare=(2,)))[1] == "gas-b1-07/lel-high  11:29:43"


@pytest.mark.parametrize(
    ("text", "columns", "wanted"),
    [
        ("one two three", 8, ["one two", "  three"]),
        ("  one two", 6, ["  one", "  two"]),
        ("燃气泄漏请关阀", 8, ["燃气泄漏", "  请关阀"]),
        ("燃气，请（立即）走", 8, ["燃气，请", "  （立", "  即）走"]),
        ("gas-b1-07/lel", 9, ["gas-b1-", "  07/lel"]),
        ("", 8, [""]),
    ],
)
def test_a_text_is_broken_at_spaces_and_between_chinese_characters(
    text: str, columns: int, wanted: list[str]
) -> None:
    assert fold(text, columns, 2) == wanted
    assert all(width(line) <= columns for line in wanted)
