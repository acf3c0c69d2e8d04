"""Frames with what they mean, published and generated, through `tocsin decode`; negative ones with the step they fail at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from drivers.cutter import FrameError
from drivers.dc589 import frame as dc589
from drivers.dlt645 import frame as dlt645
from drivers.dny import frame as dny
from drivers.gb26875 import frame as gb26875
from drivers.gst9000 import record as gst9000
from drivers.tilt import frame as tilt
from drivers.witmotion import frame as witmotion
from gateway.cli import main
from gateway.cli.decode import DECODERS

if TYPE_CHECKING:
    from collections.abc import Callable

VECTORS = Path(__file__).parent.parent / "captures" / "vectors"
ROWS: list[tuple[str, dict[str, Any]]] = [
    (file.stem, row)
    for file in sorted(VECTORS.glob("*.yaml"))
    for row in YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))["frames"]
]
GOOD = [pytest.param(p, row, id=f"{p}: {row['name']}") for p, row in ROWS if "refused" not in row]
BAD = [pytest.param(p, row, id=f"{p}: {row['name']}") for p, row in ROWS if "refused" in row]


def again_witmotion(data: bytes) -> bytes:
    if data.startswith(witmotion.COMMAND_MARK):
        return witmotion.encode_command(witmotion.decode_command(data))
    return witmotion.encode_frame(witmotion.decode_frame(data))


def again_tilt(data: bytes) -> bytes:
    return tilt.encode_frame(tilt.decode_frame(data, tilt.Family(data[0])))


AGAIN: dict[str, Callable[[bytes], bytes]] = {
    "dc589": lambda data: dc589.encode_frame(dc589.decode_frame(data)),
    "dlt645": lambda data: dlt645.encode_frame(dlt645.decode_frame(data), data.count(b"\xfe")),
    "dny": lambda data: dny.encode_frame(dny.decode_frame(data)),
    "gb26875": lambda data: gb26875.encode_frame(gb26875.decode_frame(data)),
    "gst9000": lambda data: gst9000.encode_record(gst9000.decode_record(data)),
    "tilt68": again_tilt,
    "tilt77": again_tilt,
    "witmotion": again_witmotion,
}
SUMMED = [  # those that carry a checksum
    pytest.param(p, row, id=f"{p}: {row['name']}")
    for p, row in ROWS
    if "refused" not in row and p != "gst9000" and not row["frame"].startswith("FF AA")
]


def test_every_protocol_of_the_contract_has_vectors() -> None:
    assert {protocol for protocol, _ in ROWS} == DECODERS.keys() - {"modbus-rtu", "modbus-tcp"}


@pytest.mark.parametrize(("protocol", "row"), GOOD)
def test_a_known_frame_says_what_stands_beside_it(protocol: str, row: dict[str, Any]) -> None:
    found = DECODERS[protocol](bytes.fromhex(row["frame"]))
    wanted = row.get("fields", {})
    assert {key: found[key] for key in wanted} == wanted
    for key, value in row.get("approximately", {}).items():
        assert found[key] == pytest.approx(value, abs=180 / 32768)
    for has, wants in zip(found.get("objects", []), row.get("objects", []), strict=True):
        assert {key: has[key] for key in wants} == wants


@pytest.mark.parametrize(("protocol", "row"), GOOD)
def test_a_known_frame_is_written_as_it_was_read(protocol: str, row: dict[str, Any]) -> None:
    data = bytes.fromhex(row["frame"])
    assert AGAIN[protocol](data) == data


@pytest.mark.parametrize(("protocol", "row"), BAD)
def test_a_wrong_frame_is_refused_and_says_at_which_step(protocol: str, row: dict[str, Any]) -> None:
    with pytest.raises(FrameError) as caught:
        DECODERS[protocol](bytes.fromhex(row["frame"]))
    assert caught.value.step == row["refused"]
    assert str(caught.value).startswith(f"{row['refused']}: ")
    assert row.get("says", "") in str(caught.value)


@pytest.mark.parametrize(("protocol", "row"), SUMMED)
def test_no_single_wrong_bit_is_believed(protocol: str, row: dict[str, Any]) -> None:
    data = bytes.fromhex(row["frame"]).lstrip(b"\xfe")
    for place in range(8 * len(data)):
        hurt = bytearray(data)
        hurt[place // 8] ^= 1 << place % 8
        with pytest.raises(FrameError):
            DECODERS[protocol](bytes(hurt))


def test_the_command_says_it_as_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "dlt645", "68610100000000689106333434353443 10 16", "-o", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["protocol"], answer["ok"], answer["fields"]["value"]) == ("dlt645", True, 100.1)
    assert main(["decode", "dlt645", "68610100000000689106333434353443 11 16", "-o", "json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["error"]) == (False, "checksum: it is 11, 10 would be right")
