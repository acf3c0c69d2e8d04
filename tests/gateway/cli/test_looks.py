"""What people see of status, devices and alarms, from a recorded answer of the daemon, in both languages."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gateway.cli import VERBS, main

GOLDEN = Path(__file__).parent / "golden"


LOOKS = (
    "status",
    "devices list",
    "devices show box-1",
    "alarms list",
    "alarms show box-1/lel-high",
    "alarms notices",
)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("look", LOOKS)
def test_a_look_prints_what_it_always_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], daemon: str, look: str, language: str
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", language)
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    assert main([*look.split(), "--socket", daemon]) == 0
    name = look.replace(" ", "-").replace("/", "-")
    assert capsys.readouterr().out == (GOLDEN / f"{name}.{language}.txt").read_text("utf-8")


@pytest.mark.parametrize(("language", "said"), [("zh", "看过之后又触发了"), ("en", "has come again")])
def test_a_stale_acknowledgement_ends_with_6_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], daemon: str, language: str, said: str
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", language)
    assert main(["alarms", "ack", "box-1/lel-high", "--socket", daemon]) == 6
    talk = capsys.readouterr()
    assert said in talk.err
    assert "tocsin alarms show box-1/lel-high" in talk.err
    assert talk.out == ""


@pytest.mark.parametrize(("language", "said"), [("zh", "没有设备"), ("en", "no device")])
def test_an_unknown_name_ends_with_1_in_the_readers_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], daemon: str, language: str, said: str
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", language)
    assert main(["devices", "show", "x", "--socket", daemon]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv", ["status", "devices list", "alarms list", "watch", "scan plant", "write a.b 1"]
)
def test_a_daemon_that_is_away_ends_with_3(tmp_path: Path, argv: str) -> None:
    assert main([*argv.split(), "--socket", str(tmp_path / "nobody")]) == 3


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str, language: str
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", language)
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    assert f"tocsin {verb}" in capsys.readouterr().out


def test_every_verb_has_a_name_in_both_languages() -> None:
    assert all(zh and en and zh != en for zh, en in VERBS.values())
