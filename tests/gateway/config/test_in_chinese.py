"""The mistakes and notes of `tocsin check` in Chinese: each says the same, at the same place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from siteyaml import DEVICE, HEAD, add_box, messages_of, site_of, write

import gateway.config
from gateway.config import ConfigError, load, load_ingest, load_profile
from gateway.config.budget import line_budgets, overfull, tight
from gateway.config.report import describe, near, suggest

CASE = Path(__file__).parents[2] / "cases" / "twenty-mistakes"
CHINESE = re.compile(r"[\u3400-\u9fff]")
QUOTED = re.compile(r"'[^']*'|`[^`]*`|\"[^\"]*\"")
PLACE = re.compile(r"(?P<file>.*?):(?P<line>\d+): (?P<key>[\w.\[\]-]+): (?P<what>.+)")
BROKEN = """\
devices:
  Gas_1: {profile: gas/oem-module, line: bus, address: 1}
  gas-2: {profile: gas/oem-module, line: plant, address: 1, every: 1, floor: 3}
  gas-3: {profile: gas/oem-module, line: bus, address: 1, every: 100ms, installed: soon, place: 3}
  gas-4: {profile: gas/oem-module, line: bus, address: 1, owner: 17, ports: 3, place: {lat: 95, lon: 1, crs: utm}}
  box-1: {profile: test/box, line: bus, address: 5}
  box-2: {profile: test/box, line: bus, address: 5, map: {level: null, lvl: null}}
  box-3: {profile: test/box, line: bus, address: 6, map: {level: null, lel: null}}
  box-4: {profile: test/box, line: bus, address: 7, map: {level: null}, allow_writes: [lel, x], rules: {lel-high: {off: "no"}}}
  box-5: {profile: test/box, line: bus, address: 8, map: {level: null}, rules: {new: {type: limmit, point: lel}, x: {limit: 3}}}
people: {duty: {}, Li!: {role: operator}, wang: {user: li}, zhao: {user: li}}
ladders: {orange: {verify: {to: [dutty]}, steps: [{at: 0s, to: [duty]}]}, red: {steps: [{at: 0s, to: [duty], if: rain}]}}
rules: {a: {type: expr, expr: gas-1.lle > 3}, b: {point: lel, limit: 3}, c: {point: lel, limit: 3, devices: gas-9}}
mqtt: {url: "mqtt://u:p@b", username: ""}
console: {listen: "8080"}
orders: {per_hour: 0, pause: -1}
demo: 3
stroe: {}
"""
LINES = """\
  l1: {protocol: modbus-rtu}
  l2: {serial: ttyS0, baud: 5, timeout: 0s, inflight: 3, protocol: modbus-tcp}
  l3: {tcp: "h:0", peers: [ten], echo: true, protocol: modbus-rtu}
  L4: {tcp: "h:1", listen: "h:1", protocol: modbus-rtu, stop: 3}
  l5: {serial: /dev/ttyUSB0, protocol: modbus-rtu}
"""
INTERLOCKS = """\
devices:
  gas-1: {profile: gas/oem-module, line: bus, address: 1}
  box: {profile: test/box, line: bus, address: 5, map: {level: null}}
interlocks:
  a: {when: [gas-9/lel-high], order: {device: box, point: reset, value: true}}
  b: {when: [gas-1/lel-high], order: {device: boxx, point: reset, value: true}}
  c: {when: [], order: {device: box, point: lel, value: 3}}
  d: {when: [gas-1/lel-high], order: {device: box, point: reset, value: [3]}, per_hour: 99}
  e: {when: [gas-1/lel-high], order: {device: box, point: reset, value: seven}, on_stop: release}
"""
TEXTS = [
    "a: [1\n",
    "a: {b\n\tc: 1}\n",
    "a: 1\na: 2\n? [x]\n: 3\n",
    "a: !odd 3\n<<: {b: 1}\n",
    "a: &a [*a]\n",
    "just a text\n",
    "a: \x01\n",
]


def told(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.messages


def places(messages: list[str]) -> list[tuple[str, str, str]]:
    found = [PLACE.fullmatch(message) for message in messages]
    return [(m["file"], m["line"], m["key"]) for m in found if m is not None]


def both(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, head: str = HEAD) -> list[str]:
    """Return the Chinese messages, after comparing them with the English ones."""
    found = {}
    for language in ("en", "zh"):
        monkeypatch.setenv("TOCSIN_LANG", language)
        found[language] = messages_of(folder, text, head=head)
    assert [m.split(": ")[0] for m in found["zh"]] == [m.split(": ")[0] for m in found["en"]]
    assert not [m for m in found["en"] if CHINESE.search(QUOTED.sub("", m))]
    return found["zh"]


def test_each_of_the_twenty_mistakes_is_told_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "en")
    english = told(CASE / "site.yaml")
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    chinese = told(CASE / "site.yaml")
    assert len(chinese) == 20
    assert not [message for message in chinese if not CHINESE.search(message)]
    assert places(chinese) == places(english)
    assert len(places(chinese)) == 20
    assert all(file == str(CASE / "site.yaml") for file, _, _ in places(chinese))
    assert chinese[2].endswith("site.yaml:7: lines.rs485-1.buad: 未知的键；是不是 `baud`？")
    assert chinese[3].endswith("必须是 none、even、odd 之一，现在是 'odd-ish'；是不是 `odd`？")


def test_in_english_they_hold_no_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "en")
    assert not [m for m in told(CASE / "site.yaml") if CHINESE.search(QUOTED.sub("", m))]


def test_mistakes_of_devices_rules_and_people_are_told_in_chinese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_box(tmp_path)
    found = both(monkeypatch, tmp_path, BROKEN)
    assert len(found) > 25
    assert not [message for message in found if not CHINESE.search(message)]


def test_mistakes_of_lines_are_told_in_chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = both(monkeypatch, tmp_path, DEVICE, HEAD + LINES)
    assert len(found) > 10
    assert not [message for message in found if not CHINESE.search(message)]


def test_mistakes_of_interlocks_are_told_in_chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_box(tmp_path)
    found = both(monkeypatch, tmp_path, INTERLOCKS)
    assert len(found) >= 6
    assert not [message for message in found if not CHINESE.search(message)]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_no_yaml_is_told_in_chinese(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = both(monkeypatch, tmp_path, text, head="")
    assert found
    assert not [message for message in found if not CHINESE.search(message)]


@pytest.mark.parametrize(
    "text", ["name,line\ng,bus,3\n", "nmae,name,设备\n", "a\n", "", 'name\n"g\n', "name,line\n,bus\n"]
)
def test_mistakes_of_the_ledger_are_told_in_chinese(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, text, name="l.csv")
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    found = messages_of(tmp_path, "ledger: l.csv\n")
    assert found
    assert not [message for message in found if not CHINESE.search(message)]


def test_notes_are_told_in_chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_box(tmp_path)
    text = """\
devices:
  g: {profile: test/box, line: bus, address: 1, map: {level: null}, gateway: gw-2, rules: {lel-high: {limit: 30}}}
  h: {profile: test/box, line: bus, address: 2, map: {level: null}, rules: {lel-high: {off: 未安装}}}
  cover: {profile: manhole/witmotion, line: bus, address: 80}
people: {duty: {reach: [{file: x}]}}
ladders: {purple: {steps: [{at: 0s, to: [duty]}]}}
mqtt: {url: mqtts://b, ca: gone.pem}
"""
    monkeypatch.setenv("TOCSIN_LANG", "en")
    english = site_of(tmp_path, text).notes
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    chinese = site_of(tmp_path, text).notes
    assert len(chinese) == len(english) >= 7
    assert not [note for note in chinese if not CHINESE.search(note)]
    assert "g：规则 lel-high：限值“高于 30”比型号的“高于 25”宽松" in chinese
    assert "h：规则 lel-high 已停用：未安装" in chinese
    assert "h: rule lel-high is off: 未安装" in english


def test_a_line_that_is_too_busy_is_told_in_chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    devices = "".join(
        f"  g{n}: {{profile: gas/oem-module, line: bus, address: {n}, every: 1s}}\n" for n in range(1, 60)
    )
    site = site_of(tmp_path, f"devices:\n{devices}")
    budgets = line_budgets(site)
    [message] = overfull(site, budgets)
    assert message.startswith(f"{tmp_path / 'site.yaml'}: lines.bus: 占用 ")
    assert tight(budgets) == []


def test_mistakes_of_ingest_are_told_in_chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    text = "mqtt: {url: mqtt://b, password: {file: x}}\nworkers: 90\ninflux: {url: ftp://x, api: v3}\n"
    with pytest.raises(ConfigError) as caught:
        load_ingest(write(tmp_path, text))
    assert len(caught.value.messages) == 4
    assert all(map(CHINESE.search, caught.value.messages))


def test_an_unknown_model_is_told_in_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    with pytest.raises(ConfigError, match="没有型号 'gas/oem-modul'；是不是 `gas/oem-module`？"):
        load_profile("gas/oem-modul")


def test_what_pydantic_says_itself_is_told_in_chinese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = "{lel-high: {deadband: [3]}, tilt: {type: deviation, points: 3, limit: 5}}"
    add_box(tmp_path)
    text = (
        "devices:\n  g: {profile: test/box, line: bus, address: 1, map: {level: {range: [1]}}, rules: %s}\n"
    )
    found = both(monkeypatch, tmp_path, text % rules)
    found += both(monkeypatch, tmp_path, (text % rules).replace("range: [1]", "scale: 1"))
    assert not [message for message in found if not CHINESE.search(message)], found
    assert "8: devices.g.rules.lel-high.deadband: 必须是数字，现在是 一个列表" in found


def test_what_is_read_and_what_may_be_meant_is_named_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    names = [f"name-{n}" for n in range(20)]
    assert (near("buad", ["baud"]), near("zzz", names)) == ("；是不是 `baud`？", "")
    assert suggest("zzz", names).endswith(" ……（共 20 个）")
    assert suggest("zzz", []) == ""
    values: list[object] = [None, {}, [], True, "a"]
    assert list(map(describe, values)) == [
        "空值",
        "一组键",
        "一个列表",
        "true",
        "'a'",
    ]


def test_the_language_is_asked_for_when_a_message_is_made_never_when_a_module_is_imported() -> None:
    for path in Path(gateway.config.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {
            id(call)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.Lambda)
            for part in (node.body if isinstance(node.body, list) else [node.body])
            for call in ast.walk(part)
        }
        outside = [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and id(node) not in inside and ast.unparse(node.func) == "say"
        ]
        assert not outside, f"{path}: {outside}"
