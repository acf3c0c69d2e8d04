"""Interlocks as a site file writes them: what they name must be there, allowed, and never open a valve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from siteyaml import messages_of, site_of

from gateway.cli import interlock_words
from gateway.cli.interlock_words import standing
from rules.interlock import OnStop, Release, Target

if TYPE_CHECKING:
    from pathlib import Path

DEVICES = """\
devices:
  gas-1: {profile: gas/generic, line: plant, address: 1, zone: b1}
  gas-2: {profile: gas/generic, line: plant, address: 2, zone: b1}
  valve-1: {profile: contact/gas-valve, line: plant, address: 3, allow_writes: [valve]}
  fan-1: {profile: contact/relay, line: plant, address: 4, allow_writes: [relay]}
  fan-2: {profile: contact/relay, line: plant, address: 5}
rules:
  gas-vote: {type: vote, of: lel-high, zone: b1, m: 2, window: 60s, level: 1, pre_level: 3, class: gas}
interlocks:
"""  # the interlocks begin on line 16
FAN = 'order: {device: fan-1, point: relay, value: "on"}'
VALVE = "order: {device: valve-1, point: valve, value: closed}"


def test_patterns_are_looked_up_and_everything_is_taken_over(tmp_path: Path) -> None:
    text = f"""\
  valve: {{when: ["gas-*/lel-high-high", zone.b1/gas-vote], {VALVE}, on_stop: act, hardware: spring}}
  fan:
    when: ["*/lel-high", line.plant/line-down]
    {FAN}
    release: {{value: "off", after: 10m}}
    level: 2
    delay: 2s
    within: 5s
    per_hour: 4
    drill: true
  siren: {{when: [interlock.valve/interlock-failed], {FAN}}}
"""
    valve, fan, siren = site_of(tmp_path, DEVICES + text).interlocks
    assert valve.when == (
        ("gas-1", "lel-high-high"),
        ("gas-2", "lel-high-high"),
        ("zone.b1", "gas-vote"),
    )
    assert (valve.on_stop, valve.hardware, valve.release) == (OnStop.ACT, "spring", None)
    assert fan.when == (("gas-1", "lel-high"), ("gas-2", "lel-high"), ("line.plant", "line-down"))
    assert fan.order == Target(device="fan-1", point="relay", value="on")
    assert fan.release == Release(value="off", after=600.0)
    assert (fan.level, fan.delay, fan.within, fan.per_hour, fan.drill) == (2, 2.0, 5.0, 4, True)
    assert siren.when == (("interlock.valve", "interlock-failed"),)


def test_a_site_has_none_unless_it_says_so(tmp_path: Path) -> None:
    site = site_of(tmp_path, DEVICES.replace("interlocks:\n", ""))
    assert (site.interlocks, dict(site.orders.signers)) == ((), {})


WRONG = {
    f"  Fan: {{when: [gas-1/lel-high], {FAN}}}": "Fan: must be a name",
    f"  fan: {{when: [], {FAN}}}": "fan.when: names no alarm",
    f"  fan: {{when: [gas-1/lel-hi], {FAN}}}": "did you mean `gas-1/lel-high`?",
    f"  fan: {{when: [interlock.fan/interlock-failed], {FAN}}}": "its own failure",
    "  fan: {when: [gas-1/lel-high]}": "fan.order: is missing",
    '  fan: {when: [gas-1/lel-high], order: {device: fan-9, point: relay, value: "on"}}': "no device 'fan-9'",
    '  fan: {when: [gas-1/lel-high], order: {device: fan-1, point: rely, value: "on"}}': "did you mean `relay`?",
    "  fan: {when: [gas-1/lel-high], order: {device: gas-1, point: lel, value: 3}}": "no point 'lel' that can",
    '  fan: {when: [gas-1/lel-high], order: {device: fan-2, point: relay, value: "on"}}': "allow_writes: [relay]",
    "  fan: {when: [gas-1/lel-high], order: {device: fan-1, point: relay, value: maybe}}": "none of off, on",
    "  fan: {when: [gas-1/lel-high], order: {device: fan-1, point: relay, value: [1]}}": "must be a number, a word",
    f'  fan: {{when: [gas-1/lel-high], {FAN}, release: {{value: "on"}}}}': "what the interlock orders itself",
    f"  fan: {{when: [gas-1/lel-high], {FAN}, on_stop: release}}": "on_stop: needs release",
    f"  fan: {{when: [gas-1/lel-high], {FAN}, level: 0}}": "level must be 1",
    f"  fan: {{when: [gas-1/lel-high], {FAN}, per_hour: 0}}": "per_hour must be",
    f"  fan: {{when: [gas-1/lel-high], {FAN}, within: 0s}}": "within",
    f"  fan: {{when: [gas-1/lel-high], {FAN}, wehn: 3}}": "did you mean `when`?",
    "  v: {when: [gas-1/lel-high], order: {device: valve-1, point: valve, value: open}}": "only a person may order 'open'",
    f"  v: {{when: [gas-1/lel-high], {VALVE}, hold: false}}": "leave hold as it is",
    f"  v: {{when: [gas-1/lel-high], {VALVE}, release: {{value: open}}}}": "only a person may order 'open'",
}


@pytest.mark.parametrize("text", WRONG, ids=list(WRONG.values()))
def test_a_mistake_is_told_on_its_line(text: str, tmp_path: Path) -> None:
    (message,) = messages_of(tmp_path, DEVICES + text + "\n")
    assert message.startswith("16: interlocks."), message
    assert WRONG[text] in message


def test_two_interlocks_may_not_pull_one_output_two_ways(tmp_path: Path) -> None:
    text = f"""\
  fan: {{when: [gas-1/lel-high], {FAN}}}
  still: {{when: [gas-2/lel-high], order: {{device: fan-1, point: relay, value: "off"}}}}
"""
    (message,) = messages_of(tmp_path, DEVICES + text)
    assert message.startswith("17: interlocks.still.order.value: interlock fan orders 'on'")


def test_signers_need_a_secret_and_a_known_role(tmp_path: Path) -> None:
    text = DEVICES.replace(
        "interlocks:\n", "orders: {signers: {a: {key: plain}, b: {key: {file: k}, role: king}}}\n"
    )
    told = messages_of(tmp_path, text)
    assert len(told) == 2
    assert "a secret never stands in the file" in told[0]
    assert "role" in told[1]


@pytest.mark.parametrize("language", ["zh_CN.UTF-8", "en_US.UTF-8"])
def test_check_says_in_words_what_each_will_do(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", language)
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LANGUAGE", raising=False)
    text = f"""\
  valve: {{when: ["gas-*/lel-high-high"], {VALVE}, on_stop: act, hardware: spring}}
  fan: {{when: [gas-1/lel-high], {FAN}, release: {{value: "off", after: 10m}}}}
"""
    told = "\n".join(interlock_words.plan(site_of(tmp_path, DEVICES + text)))
    chinese = "不自动恢复，只能由人下令" in told, "网关停机时：closed" in told, "恢复为 off" in told
    english = (
        "only a person" in told,
        "when the gateway stops: closed" in told,
        "off again 10 min after" in told,
    )
    assert (all(chinese), all(english)) == (language[:2] == "zh", language[:2] == "en")
    assert "spring" in told


def test_how_an_interlock_stands_fits_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    shown = {
        "name": "valve",
        "device": "v",
        "point": "valve",
        "value": "closed",
        "when": ["g/x"],
        "state": "failed",
        "causes": ["g/x"],
        "held_back": False,
        "errand": {"id": "valve.1", "value": "closed", "due": 0, "tries": 3, "why": "no answer"},
        "last": {"value": "closed", "at": 0, "proven": False},
    }
    said = standing(shown)
    assert said.startswith("valve ! FAILED  v.valve = closed  ← g/x  try 3: no answer  last ")
    assert "NOT proven" in said
