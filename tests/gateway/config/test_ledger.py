from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from siteyaml import DEVICE, HEAD, write

from gateway.config import ConfigError, load

if TYPE_CHECKING:
    from pathlib import Path

CHINESE = """\
设备,型号,线路,地址,周期,位置,楼栋,纬度,经度,坐标系,责任单位,安装日期,lel-high.limit,baseline.lel
gas-8,gas/oem-module,bus,8,2s,"3号楼, 车库",3,36.65,117.12,WGS-84,绿景物业,2026/3/1,20,
gas-9,gas/oem-module,plant,9,,西侧,,,,,,,,
"""


def with_ledger(folder: Path, content: bytes, devices: str = "") -> Path:
    (folder / "devices.csv").write_bytes(content)
    return write(folder, HEAD + devices + "ledger: devices.csv\n")


def messages(folder: Path, text: str, devices: str = "") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(with_ledger(folder, text.encode(), devices))
    return [m.removeprefix(f"{folder}/") for m in caught.value.messages]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_a_spreadsheet_saves_is_read(encoding: str, separator: str, end: str, tmp_path: Path) -> None:
    text = CHINESE.replace('"3号楼, 车库"', '"3号楼； 车库"').replace(",", separator).replace("\n", end)
    device = load(with_ledger(tmp_path, text.encode(encoding))).devices["gas-8"]
    assert device.place.text == "3号楼； 车库"
    assert (device.place.building, device.place.lat, device.place.crs) == ("3", 36.65, "WGS-84")
    assert (device.address, device.every, device.owner) == (8, 2.0, "绿景物业")
    assert str(device.installed) == "2026-03-01"
    [rule] = [r for r in device.rules if r.name == "lel-high"]
    assert getattr(rule, "limit") == 20  # noqa: B009 - a rule need not have one


def test_empty_cells_are_left_to_the_profile(tmp_path: Path) -> None:
    device = load(with_ledger(tmp_path, CHINESE.encode())).devices["gas-9"]
    assert device.every == device.profile.defaults.every
    assert device.baseline == {}
    assert device.place.lat is None


def test_english_names_quotes_remarks_and_the_note_of_excel(tmp_path: Path) -> None:
    text = 'sep=;\n# a remark\nname;profile;line;address;place\n"a";"gas/generic";"bus";"1";"said ""no"""\n;;;;\n'
    device = load(with_ledger(tmp_path, text.encode())).devices["a"]
    assert device.place.text == 'said "no"'


def test_it_is_merged_with_the_devices_of_the_site(tmp_path: Path) -> None:
    site = load(with_ledger(tmp_path, CHINESE.encode(), DEVICE))
    assert list(site.devices) == ["gas-1", "gas-8", "gas-9"]


def test_mistakes_name_line_and_column(tmp_path: Path) -> None:
    text = (
        "设备,型号,线路,地址,周期,纬度,经度,坐标系,lel-high.limit,baseline.lel\n"
        "gas-1,gas/oem-module,bus,5,1s,,,,,\n"
        "gas-2,gas/oem-modul,buss,x,1 s,95,117,WGS-84,,\n"
        '"gas-3","gas/oem-module","bus",5,"1s",36,117,,,\n'
        ",gas/oem-module,bus,6,,,,,,\n"
        "gas-6,gas/oem-module,bus,7,,,,,high,\n"
        "gas-7,gas/oem-module,bus,17,,,,,,,,more\n"
    )
    assert messages(tmp_path, text, DEVICE) == [
        f"devices.csv:2: 设备: gas-1 is there already, in {tmp_path}/site.yaml:8",
        "devices.csv:3: 周期: must be a duration such as 500ms, 2s, 5m, 8h or 30d, not '1 s'",
        "devices.csv:3: 纬度: must be at most 90, not 95",
        "devices.csv:3: 型号: there is no profile 'gas/oem-modul'; did you mean `gas/oem-module`?",
        "devices.csv:3: 线路: there is no line 'buss'; did you mean `bus`?",
        "devices.csv:4: place: lat and lon need crs: WGS-84, GCJ-02 or BD-09",
        "devices.csv:5: 设备: is missing and must be given",
        "devices.csv:6: lel-high.limit: must be a number, not 'high'",
        "devices.csv:7: has 12 cells, but there are 10 columns",
    ]


def test_a_row_below_a_cell_of_several_lines_keeps_its_number(tmp_path: Path) -> None:
    text = 'name,profile,line,address,place\na,gas/generic,bus,1,"two\nlines"\nb,gas/generic,bus,x,\n'
    [message] = messages(tmp_path, text)
    assert message.startswith("devices.csv:4: address: must be a whole number")


def test_an_unknown_or_double_column_is_told_once(tmp_path: Path) -> None:
    text = "name,profil,line,address,地址\na,gas/generic,bus,1,\nb,gas/generic,bus,2,\n"
    found = messages(tmp_path, text)
    assert found[0] == "devices.csv:1: profil: unknown column; did you mean `profile`?"
    assert found[1] == "devices.csv:1: 地址: this column is there twice: `address`"
    assert [m for m in found[2:] if "profile: is missing" not in m] == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "has no header"),
        (b"profile,line\n", "the column with the names of the devices is missing"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xff", "is no text in UTF-8"),
        (b"PK\x03\x04\x14\x00\x06\x00", "is no text in UTF-8"),
        (b'name,profile\n"a,b\n', "is not CSV"),
    ],
)
def test_what_is_no_ledger_is_refused(content: bytes, what: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(with_ledger(tmp_path, content))
    assert what in caught.value.messages[0]
    assert "devices.csv:" in caught.value.messages[0]


def test_a_ledger_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"devices\.csv:1: cannot be read"):
        load(write(tmp_path, HEAD + "ledger: devices.csv\n"))
