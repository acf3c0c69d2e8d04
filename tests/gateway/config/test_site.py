from __future__ import annotations

import dataclasses
import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest
from siteyaml import BOX, DEVICE, HEAD, add_box, messages_of, site_of, write

from drivers.line.settings import LineSettings
from gateway.config import (
    ConfigError,
    MqttSettings,
    Secret,
    SecretError,
    Site,
    StoreSettings,
    load,
    load_profile,
    profile_names,
    reveal,
    rules_of,
)
from rules.kinds.limit import Limit

CASE = Path(__file__).parents[2] / "cases" / "twenty-mistakes"
EXAMPLE = Path(__file__).parents[3] / "config" / "site.example.yaml"


def test_twenty_mistakes_are_twenty_messages_each_with_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        load(CASE / "site.yaml")
    expected = (CASE / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert len(expected) == 20
    assert [m.removeprefix(f"{CASE}/") for m in caught.value.messages] == expected


def test_check_prints_them_and_exits_with_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "check", "-c", "site.yaml"],
        cwd=CASE,
        env={"PYTHONPATH": str(CASE.parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == (CASE / "expected.txt").read_text(encoding="utf-8")


def test_the_example_is_right_and_shows_every_option() -> None:
    site = load(EXAMPLE)
    assert site.site == "lvjing"
    assert site.devices["gas-b1-08"].place.lon == 117.1203
    assert site.devices["gas-b1-07"].alarm_every == 1.0
    assert site.fire_center is not None
    assert site.fire_center.destination == 0x15B38
    assert site.store.events.keep == 3 * 365 * 86400
    assert "temperature" not in site.devices["pile-e-01"].profile.points
    text = EXAMPLE.read_text(encoding="utf-8")
    kinds = (Site, MqttSettings, StoreSettings, LineSettings)
    told = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert not [name for name in told - {"path", "notes"} if name not in text]


def test_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    line = site.lines["bus"]
    assert (line.baud, line.parity, line.stop, line.timeout, line.quarantine) == (9600, "none", 1, 0.3, 1.0)
    assert site.data == Path("/var/lib/tocsin")
    assert site.console.listen == "127.0.0.1:8080"
    assert (site.store.telemetry.keep, site.store.telemetry.max, site.store.telemetry.group) == (
        2592000,
        2**31,
        2,
    )
    assert site.devices["gas-1"].every == site.devices["gas-1"].profile.defaults.every
    assert site.name == {"zh": "gw-01", "en": "gw-01"}


# what is added to HEAD (six lines), and how each message begins, or what it says
MISTAKES: dict[str, tuple[str, list[str]]] = {
    "two addresses": (
        DEVICE + "  gas-2: {profile: gas/oem-module, line: bus, address: 1}\n",
        ["9: devices.gas-2.address: gas-1 has address 1 on line bus already"],
    ),
    "address out of range": (
        "devices:\n  g: {profile: gas/oem-module, line: bus, address: 0}\n",
        ["8: devices.g.address: must be a whole number from 1 to 247 on a modbus-rtu line, not 0"],
    ),
    "an address that is a word": (
        "devices:\n  g: {profile: gas/oem-module, line: bus, address: one}\n",
        ["8: devices.g.address: must be a whole number from 1 to 247 on a modbus-rtu line, not 'one'"],
    ),
    "a broken device still has its other keys checked": (
        "devices:\n  g:\n    profile: gas/oem-modul\n    line: buss\n    every: soon\n",
        [
            "8: devices.g.address: is missing and must be given",
            "9: devices.g.profile: there is no profile 'gas/oem-modul'; did you mean `gas/oem-module`?",
            "10: devices.g.line: there is no line 'buss'; did you mean `bus`?",
            "11: devices.g.every: must be a duration such as 500ms, 2s, 5m, 8h or 30d, not 'soon'",
        ],
    ),
    "no time at all": (
        "devices:\n  g: {profile: gas/oem-module, line: bus, address: 1, every: 0s}\n",
        ["8: devices.g.every: must be longer than none, not '0s'"],
    ),
    "a device that takes no more": (
        "devices:\n  g: {profile: test/box, line: bus, address: 1, every: 100ms, map: {level: null}}\n",
        ["8: devices.g.every: the device can be asked every 0.2 s at most, not every 0.1 s"],
    ),
    "an open question of the profile": (
        "devices:\n  g: {profile: test/box, line: bus, address: 1}\n",
        ["8: devices.g.map.level: nobody stated scale of point level; set it here, by the real device"],
    ),
    "a rule loses its point": (
        "devices:\n  g:\n    profile: test/box\n    line: bus\n    address: 1\n    map: {level: null, lel: null}\n",
        [
            """8: devices.g.rules.lel-high.point: there is no point 'lel'; with point lel taken away, the rule needs off: "<reason>\""""
        ],
    ),
    "a re-mapped point": (
        "devices:\n  g: {profile: test/box, line: bus, address: 1, map: {level: {scale: 1, tpye: int16}}}\n",
        ["8: devices.g.map.level.tpye: unknown key; did you mean `type`?"],
    ),
    "switched off without a reason": (
        "devices:\n  g: {profile: gas/oem-module, line: bus, address: 1, rules: {lel-high: {off: yes}}}\n",
        ["8: devices.g.rules.lel-high.off: a rule is switched off with a reason"],
    ),
    "a typo inside a rule": (
        (
            "devices:\n  g:\n    profile: gas/oem-module\n    line: bus\n    address: 1\n    rules:\n"
            "      lel-high:\n        limit: 20\n        on_dealy: 2s\n"
        ),
        ["15: devices.g.rules.lel-high.on_dealy: unknown key; did you mean `on_delay`?"],
    ),
    "writes": (
        "devices:\n  g: {profile: test/box, line: bus, address: 1, map: {level: null}, allow_writes: [reset, lel, x]}\n",
        [
            "8: devices.g.allow_writes[1]: the profile does not allow writing lel",
            "8: devices.g.allow_writes[2]: the profile has no such point; known here: reset",
        ],
    ),
    "an inline secret": (
        DEVICE + "mqtt: {url: mqtt://b, username: u, password: secret}\n",
        [
            "9: mqtt.password: a secret never stands in the file itself; write {file: path} or {credential: name}"
        ],
    ),
    "credentials in the address": (
        DEVICE + "mqtt: {url: mqtt://u:p@b}\n",
        [
            "9: mqtt.url: must be mqtt://host:port or mqtts://host:port, not 'mqtt://u:p@b'; user and password have"
        ],
    ),
    "a client certificate without its key": (
        DEVICE + "mqtt:\n  url: mqtts://b\n  cert: c.pem\n",
        ["9: mqtt: cert and key go together"],
    ),
    "a stranger on a ladder": (
        DEVICE
        + "people: {duty: {}}\nladders:\n  red:\n    steps:\n      - {at: 0s, to: [duty, fire_center]}\n",
        ["13: ladders.red.steps[0].to[1]: there is nobody called 'fire_center' under people"],
    ),
    "somebody looks first at what is no fire, and too long": (
        DEVICE
        + "people: {duty: {}}\nladders:\n  orange:\n    verify: {to: [dutty]}\n    steps: [{at: 0s, to: [duty]}]\n"
        + "  red:\n    verify: {to: [duty], investigate: 4m}\n    steps: [{at: shift_start, to: [duty]}]\n",
        [
            "12: ladders.orange.verify.to[0]: there is nobody called 'dutty' under people; did you mean `duty`?",
            "12: ladders.orange.verify: only a fire waits: fire_gas_red, red",
            "15: ladders.red.verify: investigate: not shorter than ack, and at most 180 s",
        ],
    ),
    "one account for two people": (
        DEVICE + "people:\n  wang: {user: wang, role: operator}\n  li: {user: wang, role: fire_officer}\n",
        ["11: people.li.user: 'wang' is the account of wang already"],
    ),
    "a role without an account": (
        DEVICE + "people:\n  wang: {role: operator}\n",
        ["10: people.wang.role: a role needs an account: give `user`, too"],
    ),
    "a vote of nobody": (
        DEVICE
        + "rules:\n  both: {type: vote, of: lel-hihg, zone: b9}\n  two: {type: vote, of: lel-high, devices: 'gsa-*'}\n",
        [
            "10: rules.both.zone: there is no zone 'b9'",
            "11: rules.two.devices: no device is called 'gsa-*'; did you mean `gas-1`?",
        ],
    ),
    "an expression about nothing": (
        DEVICE
        + "rules:\n  a: {type: expr, expr: 'gas-1.lle > 3 and gas-2/lel-high'}\n  b: {type: expr, expr: 'gas-1.lel >'}\n",
        [
            "10: rules.a.expr: gas-1 has no point 'lle'; did you mean `lel`?",
            "10: rules.a.expr: there is no device 'gas-2'; did you mean `gas-1`?",
            "11: rules.b: expr: at its end: wanted device.point, device/rule, a number or a 'text'",
        ],
    ),
    "rules in a circle": (
        DEVICE + "rules:\n  a: {type: expr, expr: site/b}\n  b: {type: expr, expr: not site/a}\n",
        ["10: rules.a: rules look at each other in a circle: site/a -> site/b -> site/a"],
    ),
    "a rule for many devices of which none is said": (
        DEVICE
        + "rules:\n  warm: {type: rate, point: lel, limit: 3}\n  wet: {point: wet, limit: 1, devices: gas-1}\n",
        [
            "10: rules.warm: say for which devices: give devices (names or patterns), zone or both",
            "11: rules.wet.point: gas-1 has no point 'wet'",
        ],
    ),
    "a rule twice at a device": (
        DEVICE + "rules:\n  lel-high: {point: lel, limit: 20, devices: 'gas-*'}\n",
        ["10: rules.lel-high: gas-1 has a rule of this name already"],
    ),
    "no device": ("", ["1: devices: there is no device: give devices, or a ledger"]),
    "a list for a block": (
        "devices: [1]\n",
        ["7: devices: must be a block of keys, not a list"],
    ),
    "a number for a name": (
        DEVICE + "  17: {profile: gas/oem-module, line: Bus, address: 2}\n",
        [
            "9: devices[17]: must be a text, not 17; put it in quotes",
            "9: devices.17.line: there is no line 'Bus'",
        ],
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_with_its_line_and_what_would_be_right(case: str, tmp_path: Path) -> None:
    add_box(tmp_path)
    text, expected = MISTAKES[case]
    found = messages_of(tmp_path, text)
    assert len(found) == len(expected), found
    for message, start in zip(found, expected, strict=True):
        assert message.startswith(start)


LINES: dict[str, tuple[str, str]] = {
    "two ways": (
        '{serial: /dev/ttyS0, tcp: "h:1", protocol: modbus-rtu}',
        "l: must have exactly one of serial",
    ),
    "no way": ("{protocol: modbus-rtu}", "l: must have exactly one of serial, tcp and listen; none is given"),
    "tcp on serial": ("{serial: /dev/ttyS0, protocol: modbus-tcp}", "l.protocol: modbus-tcp does not run on"),
    "short path": ("{serial: ttyS0, protocol: modbus-rtu}", "l.serial: must be the whole path of a port"),
    "no port": ("{tcp: localhost, protocol: modbus-tcp}", 'l.tcp: must be "host:port"'),
    "port too big": ('{listen: "0.0.0.0:70000", protocol: modbus-rtu}', 'l.listen: must be "host:port"'),
    "baud": ("{serial: /dev/ttyS0, baud: 96, protocol: modbus-rtu}", "l.baud: must be between 300"),
    "true is no number": (
        "{serial: /dev/ttyS0, baud: true, protocol: modbus-rtu}",
        "l.baud: must be a whole number",
    ),
    "stop": ("{serial: /dev/ttyS0, stop: 3, protocol: modbus-rtu}", "l.stop: must be one of 1, 2, not 3"),
    "timeout": ("{serial: /dev/ttyS0, timeout: 0s, protocol: modbus-rtu}", "l.timeout: must be longer"),
    "inflight": ('{tcp: "h:1", inflight: 4, protocol: modbus-rtu}', "l.inflight: must be 1"),
    "echo": ('{tcp: "h:1", echo: true, protocol: modbus-rtu}', "l.echo: only an adapter on a serial port"),
    "peers": ('{tcp: "h:1", peers: [10.0.0.1], protocol: modbus-rtu}', "l.peers: goes with listen only"),
    "bad peer": (
        '{listen: "0.0.0.0:1", peers: [10.0.0], protocol: modbus-rtu}',
        "l.peers: must be addresses",
    ),
    "same serial": (
        "{serial: /dev/../dev/ttyUSB0, protocol: modbus-rtu}",
        "l.serial: line bus has this port",
    ),
    "same endpoint": ('{tcp: "localhost:5020", protocol: modbus-tcp}', "l.tcp: line plant has this port"),
    "the console's port": (
        '{listen: "0.0.0.0:8080", protocol: modbus-rtu}',
        "console.listen: line l listens on",
    ),
}


@pytest.mark.parametrize("case", LINES)
def test_a_line_that_cannot_work_is_refused(case: str, tmp_path: Path) -> None:
    line, expected = LINES[case]
    head = HEAD + f"  l: {line}\n"
    text = DEVICE + "console: {listen: '127.0.0.1:8080'}\n"
    [message] = messages_of(tmp_path, text, head=head)
    number = 10 if expected.startswith("console") else 7
    assert message.startswith(f"{number}: {'' if number == 10 else 'lines.'}{expected}")


def test_a_symbolic_link_is_the_port_it_leads_to(tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to("/dev/ttyUSB0")
    head = HEAD + f"  l: {{serial: {link}, protocol: modbus-rtu}}\n"
    [message] = messages_of(tmp_path, DEVICE, head=head)
    assert "line bus has this port already" in message


def test_what_the_site_tightens_is_merged_and_what_it_loosens_is_told(tmp_path: Path) -> None:
    add_box(tmp_path)
    device = "devices:\n  g: {profile: test/box, line: bus, address: 1, map: {level: null}, rules: {lel-high: %s}}\n"
    tight = site_of(tmp_path, device % "{limit: 20}")
    [rule] = tight.devices["g"].rules
    assert isinstance(rule, Limit)
    assert (rule.limit, rule.on_delay, rule.level) == (20, 3, 2)
    assert not [note for note in tight.notes if "looser" in note]
    loose = site_of(tmp_path, device % "{limit: 30, on_delay: 10}")
    assert "g: rule lel-high: limit above 30 is looser than the profile's above 25" in loose.notes
    assert "g: rule lel-high: on_delay 10 s is longer than the profile's 3 s" in loose.notes
    off = site_of(tmp_path, device % '{off: "sensor not fitted"}')
    assert off.devices["g"].rules == ()
    assert off.devices["g"].rules_off == {"lel-high": "sensor not fitted"}
    assert "g: rule lel-high is off: sensor not fitted" in off.notes


def test_a_site_may_add_a_rule_of_its_own_and_a_point(tmp_path: Path) -> None:
    add_box(tmp_path)
    text = (
        "devices:\n  g:\n    profile: test/box\n    line: bus\n    address: 1\n"
        "    map:\n      level: {scale: 0.1}\n"
        '      depth: {register: "input:7", type: int16, name: {zh: 深度, en: depth}}\n'
        "    rules: {too-deep: {point: depth, limit: 5, level: 3}}\n"
    )
    device = site_of(tmp_path, text).devices["g"]
    assert [rule.name for rule in device.rules] == ["lel-high", "too-deep"]
    assert device.profile.points["level"].scale == 0.1
    assert device.profile.points["depth"].address == 7


def test_a_mistake_in_a_profile_of_the_site_stands_in_that_file(tmp_path: Path) -> None:
    add_box(tmp_path, BOX.replace("uint16, scale", "uint17, scale").replace("on_delay", "on_dely"))
    found = messages_of(tmp_path, "devices:\n  g: {profile: test/box, line: bus, address: 1}\n")
    assert any("box.yaml:6: points.lel.type: must be one of bool, int8" in m for m in found), found
    add_box(tmp_path, BOX.replace("on_delay", "on_dely"))
    [message] = messages_of(tmp_path, "devices:\n  g: {profile: test/box, line: bus, address: 1}\n")
    assert "box.yaml:10: rules.lel-high.on_dely: unknown key; did you mean `on_delay`?" in message


def test_a_rule_about_tilt_sleeps_aloud_without_its_baseline(tmp_path: Path) -> None:
    site = site_of(tmp_path, "devices:\n  c: {profile: manhole/generic, line: bus, address: 1}\n")
    sleeping = [note for note in site.notes if "sleeps" in note]
    assumed = [r for r in site.devices["c"].rules if getattr(r, "assume_zero", False)]
    assert sleeping or assumed  # the profile may say that an angle of 0 is level


def test_secrets_are_read_when_they_are_needed(tmp_path: Path) -> None:
    (tmp_path / "mqtt").write_text("geheim\n", encoding="utf-8")
    assert reveal(Secret(file=tmp_path / "mqtt"), "k") == "geheim"
    assert reveal(Secret(credential="mqtt"), "k", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "geheim"
    with pytest.raises(SecretError, match="CREDENTIALS_DIRECTORY is not set"):
        reveal(Secret(credential="mqtt"), "mqtt.password", {})
    with pytest.raises(SecretError, match="No such file"):
        reveal(Secret(file=tmp_path / "none"), "mqtt.password")
    assert "geheim" not in repr(Secret(inline="geheim"))


def test_a_demo_may_hold_its_secrets_itself(tmp_path: Path) -> None:
    text = DEVICE + "demo: true\nmqtt: {url: mqtt://b, username: u, password: pw}\n"
    site = site_of(tmp_path, text)
    assert site.mqtt is not None
    assert site.mqtt.password == Secret(inline="pw")


def test_relative_paths_count_from_the_site_file(tmp_path: Path) -> None:
    site = site_of(tmp_path, DEVICE + "data: journal\nmqtt: {url: mqtts://b, ca: pki/ca.pem}\n")
    assert site.data == tmp_path / "journal"
    assert site.mqtt is not None
    assert site.mqtt.ca == tmp_path / "pki" / "ca.pem"


@pytest.mark.parametrize("text", ["", "- 1\n", "just words\n", "\xff\n"])
def test_a_file_that_is_no_site_is_refused_in_one_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert len(caught.value.messages) == 1


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none.yaml")


def test_profiles_are_found_by_name_and_their_rules_made() -> None:
    assert {"gas/generic", "gas/oem-module", "manhole/witmotion"} <= set(profile_names())
    rules = rules_of(load_profile("gas/generic"), {"lel-high": {"limit": 20, "on_delay": "2s"}})
    [rule] = [r for r in rules if r.name == "lel-high"]
    assert isinstance(rule, Limit)
    assert (rule.limit, rule.on_delay) == (20, 2)
    with pytest.raises(ConfigError, match="did you mean `gas/generic`"):
        load_profile("gas/generik")
    with pytest.raises(ConfigError, match="did you mean `lel-high`"):
        rules_of(load_profile("gas/generic"), {"lel-hihg": {"limit": 20}})


def test_a_profile_name_cannot_leave_its_folder(tmp_path: Path) -> None:
    write(tmp_path, BOX, name="outside.yaml")
    [message] = messages_of(tmp_path, "devices:\n  g: {profile: ../outside, line: bus, address: 1}\n")
    assert "there is no profile" in message


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-01", dt.date(2026, 3, 1)),
        ("2026/3/1", dt.date(2026, 3, 1)),
        ("2026年3月1日", dt.date(2026, 3, 1)),
    ],
)
def test_dates_are_read_as_people_write_them(written: str, read: dt.date, tmp_path: Path) -> None:
    text = DEVICE.replace("}", f", installed: {written}}}")
    assert site_of(tmp_path, text).devices["gas-1"].installed == read


def test_a_day_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    [message] = messages_of(tmp_path, DEVICE.replace("}", ", installed: 2026-02-30}"))
    assert message == "8: devices.gas-1.installed: must be a date such as 2026-03-01, not '2026-02-30'"
