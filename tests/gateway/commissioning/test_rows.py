"""Rows that are added to a ledger, whatever spreadsheet wrote it; files that are whole or not there."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.survey.found import Found
from drivers.survey.score import Match
from drivers.survey.talk import Setting, Tongue
from gateway.commissioning import answers
from gateway.commissioning.answers import Answers, DeviceAnswer, LineAnswer
from gateway.commissioning.ask import wrap
from gateway.commissioning.ports import ports
from gateway.commissioning.rows import Row, add_rows, common, row_for
from gateway.commissioning.sitefile import ledger_csv, site_yaml
from gateway.config import load
from gateway.config.ledger import read_ledger
from gateway.config.report import Report

if TYPE_CHECKING:
    from pathlib import Path

NEW = Row("gas-17", "gas/oem-module", "rs485-1", "17", "2s", "3号楼 B1")
HEADS = {
    "english": "name,profile,line,address,every,place\n",
    "chinese": "设备,型号,线路,地址,周期,位置\n",
    "semicolons": "address;line;profile;name\n",
    "tabs and more": "设备\t责任单位\t型号\t线路\t地址\n",
}


def devices(path: Path) -> dict[str, dict[str, object]]:
    report = Report()
    found = read_ledger(path, str(path), report)
    report.finish()
    return {device.name: dict(device.data) for device in found}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("head", HEADS)
def test_a_row_fits_into_whatever_ledger_is_there(tmp_path: Path, head: str, encoding: str) -> None:
    path = tmp_path / "devices.csv"
    path.write_bytes(HEADS[head].encode(encoding))
    assert add_rows(path, [NEW], ["unit 9 who knows"]) == [NEW]
    read = devices(path)["gas-17"]
    assert (read["profile"], read["line"], read["address"]) == ("gas/oem-module", "rs485-1", 17)
    raw = path.read_bytes()
    assert raw.startswith(codecs.BOM_UTF8) is (encoding == "utf-8-sig")
    assert add_rows(path, [NEW]) == []


def test_what_stands_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "devices.csv"
    before = '设备,型号,线路,地址,备注\r\n"a-1",gas/generic,l,1,\r\n'.replace(",备注", "").replace(
        ",\r\n", "\r\n"
    )
    path.write_bytes(before.encode())
    add_rows(path, [NEW])
    assert path.read_bytes().startswith(before.encode())
    assert set(devices(path)) == {"a-1", "gas-17"}


def test_a_new_ledger_has_a_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for language, first in (("en", "name"), ("zh", "设备")):
        monkeypatch.setenv("TOCSIN_LANG", language)
        path = tmp_path / f"{language}.csv"
        add_rows(path, [NEW])
        assert path.read_text("utf-8").startswith(first)
        assert "gas-17" in devices(path)


def test_who_has_this_address_already_is_not_added_again(tmp_path: Path) -> None:
    path = tmp_path / "devices.csv"
    path.write_text("name,profile,line,address\nold,gas/generic,rs485-1,17\n", "utf-8")
    assert add_rows(path, [NEW]) == []


def test_a_file_that_is_no_text_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "devices.csv"
    path.write_bytes(b"PK\x03\x04\0\0\xff\xfe")
    with pytest.raises(ValueError, match="no text"):
        add_rows(path, [NEW])
    assert path.read_bytes() == b"PK\x03\x04\0\0\xff\xfe"


def found(who: str, profile: str, share: float, setting: Setting = Setting(9600)) -> Found:  # noqa: B008  frozen
    return Found(Tongue.MODBUS, who, setting, matches=[Match(profile, share, 1, 1, {})])


def test_names_say_what_and_where_and_are_never_taken_twice() -> None:
    first = row_for(found("17", "electrical_fire/em100", 0.9), "rs485-1", set())
    second = row_for(found("17", "electrical_fire/em100", 0.9), "rs485-2", {"efd-17"})
    assert first is not None
    assert second is not None
    assert (first.name, second.name) == ("efd-17", "efd-17-2")
    assert row_for(found("17", "gas/generic", 0.1), "rs485-1", set()) is None


def test_a_line_gets_the_setting_that_most_have() -> None:
    slow = Setting(2400)
    assert common([found("1", "x/y", 1), found("2", "x/y", 1, slow), found("3", "x/y", 1, slow)]) == slow
    assert common([]) is None


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(TEXT, TEXT, st.sampled_from(["", "mqtt://broker.example"]))
def test_what_the_setup_writes_is_a_site_that_loads(
    tmp_path: Path, name: str, place: str, broker: str
) -> None:
    said = Answers(site="lvjing", name=name or "x", broker=broker)
    said.lines = [
        LineAnswer("line-1", "/dev/ttyUSB0", baud=2400, parity="even"),
        LineAnswer("line-2", "h:5020", "modbus-tcp"),
    ]
    said.devices = [
        DeviceAnswer("a-1", "meter/sdm120", "line-1", "1", "10s", place),
        DeviceAnswer(
            "a-2",
            "gas/pemtech-pt495",
            "line-2",
            "2",
            place=place,
            map={p: {"scale": 0.1} for p in ("lel", "setpoint_1", "setpoint_2")},
        ),
    ]
    (tmp_path / "site.yaml").write_text(site_yaml(said, str(tmp_path / "data")), "utf-8")
    (tmp_path / "devices.csv").write_text(ledger_csv(said), "utf-8")
    site = load(tmp_path / "site.yaml")
    assert set(site.devices) == {"a-1", "a-2"}
    assert site.lines["line-1"].parity == "even"
    assert (site.mqtt is not None) is bool(broker)


def test_answers_come_back_as_they_were_and_damage_is_no_answer(tmp_path: Path) -> None:
    said = Answers(
        done=3, site="x", lines=[LineAnswer("l", "/dev/x")], devices=[DeviceAnswer("d", "a/b", "l", "1")]
    )
    said.save(tmp_path)
    assert answers.load(tmp_path) == said
    for damage in (
        "",
        "[]",
        "{}",
        '{"version": 1}',
        '{"version": 2}',
        '{"version": 1, "lines": 1, "devices": []}',
    ):
        (tmp_path / answers.FILE).write_text(damage, "utf-8")
        assert answers.load(tmp_path) is None
    answers.forget(tmp_path)
    answers.forget(tmp_path)
    assert answers.load(tmp_path) is None


def test_ports_are_named_by_what_stays(tmp_path: Path) -> None:
    for name in ("ttyUSB0", "ttyUSB1", "ttyAMA0", "ttyprintk"):
        (tmp_path / name).touch()
    by_id = tmp_path / "serial" / "by-id"
    by_id.mkdir(parents=True)
    (by_id / "usb-FTDI").symlink_to(tmp_path / "ttyUSB1")
    found_ = ports(["/dev/mine"], tmp_path)
    assert found_ == [
        "/dev/mine",
        *(str(tmp_path / n) for n in ("serial/by-id/usb-FTDI", "ttyUSB0", "ttyAMA0")),
    ]


@given(st.text("ab 中文，", max_size=80), st.integers(8, 40))
def test_wrapped_lines_fit_and_lose_nothing(text: str, columns: int) -> None:
    from gateway.cli.output import width  # noqa: PLC0415

    lines = wrap(text, columns)
    assert "".join("".join(lines).split()) == "".join(text.split())
    longest_word = max((len(word) for word in text.split()), default=0)
    assert all(width(line) <= max(columns, 2 * longest_word) for line in lines)
