"""What people read: times of the site, what is meant and not what it looks like, one language, mistakes explained."""

from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING, Any

import pytest

from drivers.survey.found import Found
from drivers.survey.talk import Setting, Tongue
from gateway.cli import events, interlock_words, main
from gateway.cli.devices import state_of
from gateway.cli.found import sentence
from gateway.cli.output import count, said_once
from gateway.cli.status import link_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

AT = 1795404583000000000  # 2026-11-23 03:29:43 UTC
THERE = "11:29:43"  # in Shanghai


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host whose zone is not the site's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def site(answers: dict[str, Any], serve: Callable[[dict[str, Any]], str], far_away: None) -> str:
    """A daemon in Shanghai that was asked from New York."""
    title = {"zh": "甲烷", "en": "methane"}
    past = {
        "device": "box-1",
        "rule": "lel-high",
        "level": 2,
        "activations": 1,
        "value": 40.0,
        "unit": "%LEL",
    }
    past |= {"began": AT, "raised": AT, "acked": None, "acked_by": "", "cleared": None, "closed": None}
    past |= {"disposition": "", "status": "Actual", "occurrence": "1.1", "class": "gas", "title": title}
    event = {"type": "event", "event": "raise", "device": "box-1", "rule": "lel-high", "title": title}
    line = {"device": "box-1", "heard": True, "rule": "lel-high", "at": AT, "after": 1.0, "announced": AT}
    drill = answers["/api/v1/status"]["drill"] | {"began": AT, "ended": AT, "running": False}
    drill["detectors"] = [line | {"response": 1.0, "overdue": False}]
    shown = answers["/api/v1/alarms/box-1/lel-high"]
    shown["timeline"][0]["at"] = AT
    return serve(
        {
            "/api/v1/status": answers["/api/v1/status"] | {"timezone": "Asia/Shanghai"},
            "/api/v1/occurrences": [past],
            "/api/v1/audit?after=0&limit=1000": [{"n": 7, "at": AT, "entry": event, "hash": "00"}],
            "/api/v1/audit?after=7&limit=1000": [],
            "/api/v1/audit": [{"n": 7, "at": AT, "entry": event, "hash": "00"}],
            "/api/v1/drill": drill,
            "/api/v1/alarms/box-1/lel-high": shown,
            "/api/v1/devices/box-1/baseline": {
                "device": "box-1",
                "baseline": {},
                "versions": [{"version": 1, "at": AT, "by": "wang", "void": True, "reason": "broken"}],
            },
        }
    )


@pytest.mark.parametrize(
    "look",
    [
        "alarms history",
        "events tail",
        "drill report",
        "alarms show box-1/lel-high",
        "devices baseline box-1 --show",
    ],
)
def test_times_are_those_of_the_site(site: str, look: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*look.split(), "--socket", site]) == 0
    assert THERE in capsys.readouterr().out


@pytest.mark.parametrize(
    ("verb", "column"),
    [
        ("alarms export", "began_local"),
        ("events export", "at_local"),
        ("drill report --format csv", "at_local"),
    ],
)
def test_a_sheet_says_how_far_its_zone_is_from_utc(
    site: str, verb: str, column: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*verb.split(), "--socket", site]) == 0
    (line,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert line[column] == f"2026-11-23 {THERE}+08:00"


def test_the_readers_zone_stands_in_for_one_that_this_machine_does_not_know(
    far_away: None,
    serve: Callable[[dict[str, Any]], str],
    answers: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers["/api/v1/status"]["timezone"] = "Mars/Olympus"
    assert main(["alarms", "show", "box-1/lel-high", "--socket", serve(answers)]) == 0
    assert "11-22 22:29:43" in capsys.readouterr().out


LOCK: dict[str, Any] = {"name": "gas-valve-b1", "device": "valve-b1", "point": "valve", "value": "closed"}
LOCK |= {"state": "idle", "causes": [], "errand": None, "last": None, "held_back": False}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "gas-valve-b1 idle  valve-b1.valve → closed when it acts"),
        ("zh", "gas-valve-b1 待命  valve-b1.valve 动作时 → closed"),
    ],
)
def test_an_idle_interlock_says_what_it_would_do_and_not_how_the_valve_is(
    monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", language)
    assert interlock_words.standing(LOCK) == said
    assert "valve-b1.valve = closed" in interlock_words.standing(LOCK | {"state": "acted"})


def test_what_an_interlock_proved_once_is_not_said_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "en")
    last = {"at": time.time_ns() - 200 * 10**9, "value": "closed", "proven": True}
    said = interlock_words.standing(LOCK | {"last": last})
    assert said.endswith("last ordered closed 03:20 ago (proven then)")
    assert "closed proven" not in said


def test_a_device_out_of_service_is_not_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "en")
    assert state_of({"state": "live", "out_of_service": 200.0}) == "OUT OF SERVICE (03:20 left), ok"
    assert state_of({"state": "live", "out_of_service": None}) == "ok"
    assert state_of({"state": "live"}) == "ok"
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    assert state_of({"state": "lost", "out_of_service": 200.0}) == "停用（余 03:20），失联"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("gas-1 3号楼: methane", "methane"),
        ("3号楼 gas-1 3号楼：甲烷", "甲烷"),
        ("[DRILL] 3号楼 gas-1: methane", "[DRILL] methane"),
        ("【演练】3号楼 甲烷", "【演练】甲烷"),
        ("gas-12 methane", "gas-12 methane"),
        ("methane at gas-1", "methane at gas-1"),
        ("3号楼", "3号楼"),
    ],
)
def test_a_message_names_what_stands_beside_it_once(text: str, wanted: str) -> None:
    assert said_once(text, "3号楼", "gas-1", "") == wanted


def test_an_event_names_its_place_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "en")
    title = {"zh": "", "en": "3号楼 gas-1 3号楼: methane"}
    entry: dict[str, Any] = {
        "type": "event",
        "event": "raise",
        "device": "gas-1",
        "title": title,
        "where": {"text": "3号楼"},
    }
    assert events.told({"entry": entry})[-1] == "3号楼 methane"
    assert events.told({"entry": entry | {"where": {}, "title": {"en": "methane"}}})[-1] == "methane"


def test_who_is_found_over_a_network_has_no_rate() -> None:
    found = Found(Tongue.MODBUS, "17", Setting(), 0.016)
    assert "9600 8N1" in sentence(found)
    assert "9600" not in sentence(found, network=True)


def test_a_lane_has_a_name_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    lanes = {name: {"records": 1} for name in ("alarm", "telemetry")}
    link = {"name": "mqtt", "connected": True, "receipt_age": 1.0, "backlog": lanes}
    assert link_words(link).endswith("待确认：告警 1  读数 1")


USAGE = {
    "read plant": "缺少参数：-a/--address",
    "status --nope": "无法识别的参数：--nope",
    "decode morse 00": "不可为 'morse'（可选：'dc589'",
    "alarms list --level x": "'x' 不是有效的值",
    "alarms close a/b": "缺少参数：disposition",
    "alarms ack a/b --seen": "需要一个值",
    "rules list": "须给出其中之一",
}


@pytest.mark.parametrize("argv", USAGE)
def test_what_is_wrong_with_a_command_is_said_in_chinese(
    argv: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    with pytest.raises(SystemExit) as ended:
        main(argv.split())
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("用法：tocsin")
    assert "错误：" in told
    assert USAGE[argv] in told


@pytest.mark.parametrize("argv", ["--help", "alarms --help", "alarms ack --help"])
def test_help_is_in_one_language(
    argv: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    with pytest.raises(SystemExit):
        main(argv.split())
    told = capsys.readouterr().out
    for english in ("usage:", "positional arguments", "options:", "show this help"):
        assert english not in told


def test_argparse_keeps_its_own_words_in_english(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "en")
    with pytest.raises(SystemExit):
        main(["read", "plant"])
    told = capsys.readouterr().err
    assert told.startswith("usage: tocsin read")
    assert "error: the following arguments are required: -a/--address" in told


MISTAKES = {
    "decode modbus-rtu zz": "'z' is no hex digit",
    "decode modbus-rtu 123": "odd number of hex digits",
    "events verify --data . --head 1204:9f86d0...": "wanted NUMBER:HASH, with all 64 hex digits",
    "read /dev/null -a 1 -t u99": "-t 'u99': there is none such; there are: u16, i16",
    "read /dev/null -a 1 -t u16 --order Q": "--order 'Q': there is none such; there are: ABCD",
}


@pytest.mark.parametrize("argv", MISTAKES)
def test_a_mistake_is_explained_in_the_terms_of_who_made_it(
    argv: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "en")
    assert main(argv.split()) == 2
    told = capsys.readouterr().err
    assert MISTAKES[argv] in told
    assert "fromhex" not in told
    assert "PointType" not in told


def test_one_is_not_many() -> None:
    assert [count(n, "row", "rows") for n in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]


def test_one_mistake_of_a_site_is_one_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "en")
    assert main(["check", "-c", str(tmp_path / "none.yaml")]) == 2
    assert capsys.readouterr().err == "1 mistake\n"


def test_a_simulation_says_how_many_mistakes_before_it_lists_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "en")
    assert main(["simulate", "-c", str(tmp_path / "none.yaml")]) == 2
    first, *rest = capsys.readouterr().err.splitlines()
    assert first == "tocsin simulate: 1 mistake:"
    assert rest
