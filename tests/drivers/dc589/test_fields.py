"""DC589: every command's fields, the states of the ports, the temperature offset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.cutter import Step
from drivers.dc589.explain import NAMES, explain
from drivers.dc589.fields import FIELDS, decode_fields, encode_fields, size_of
from drivers.dc589.frame import Dc589Error, Frame, decode_frame, encode_frame
from drivers.dc589.ports import ALL_PORTS, HEARTBEAT, Charging, Status, decode_status, encode_status
from drivers.stamp import Stamp

# Bytes of data by the vendor's tables.
SIZES = {
    0xA0: 45, 0xA1: 7, 0xA2: 10, 0xA3: 2, 0xA4: 17, 0xA5: 1, 0xA6: 3, 0xA7: 1, 0xA8: 6, 0xA9: 6, 0xB0: 1, 0xB1: 0,
    0xB2: 1, 0xB3: 36, 0xB4: 36, 0xB5: 2, 0xB6: 10, 0xB7: 19, 0xB8: 2, 0xB9: 1, 0xBA: 2, 0xBB: 44, 0xBC: 2, 0xBD: 9,
    0xC0: 5, 0xC1: 2, 0xC2: 9, 0xC3: 33, 0xC4: 1, 0xC5: 1, 0xC6: 33, 0xC7: 1, 0xD0: 5, 0xD1: 7, 0xE0: 6, 0xE1: 6,
}  # fmt: skip
STATUS = Status(
    0b010,
    228,
    31,
    (0, 1, 3, 4),
    1,
    (Charging(2, 3600 + 12, 61, 0.5, 1.234, 129.5),),
)


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def values(command: int, data: bytes) -> dict[str, Any]:
    """Make a value of the right kind for each field out of as many bytes as it has."""
    found: dict[str, Any] = {}
    at = 0
    for field in FIELDS[command]:
        piece = data[at : at + field.size]
        at += field.size
        number = int.from_bytes(piece, "little")
        match field.kind:
            case "time":
                found[field.name] = Stamp(*(byte % 100 for byte in piece))
            case "digits":
                found[field.name] = f"{number % 100**field.size:0{2 * field.size}d}"
            case "hex":
                found[field.name] = f"{number:0{2 * field.size}X}"
            case "text":
                found[field.name] = "".join(LETTERS[byte % 36] for byte in piece[: piece[0] % 9])
            case "temperature":
                found[field.name] = number - 50
            case _:
                found[field.name] = number / 10**field.decimals if field.decimals else number
    return found


def test_every_command_has_its_name_and_the_size_of_the_vendors_table() -> None:
    assert {command: size_of(fields) for command, fields in FIELDS.items()} == SIZES
    assert NAMES.keys() == FIELDS.keys()


@given(st.binary(min_size=max(SIZES.values()), max_size=max(SIZES.values())))
@settings(max_examples=40, deadline=None)
def test_fields_are_read_as_they_were_written(drawn: bytes) -> None:
    for command, fields in FIELDS.items():
        wanted = values(command, drawn)
        assert decode_fields(fields, encode_fields(fields, wanted)) == wanted


@pytest.mark.parametrize("command", sorted(FIELDS.keys() - {0xB1}))
def test_a_command_with_too_few_bytes_is_refused(command: int) -> None:
    with pytest.raises(Dc589Error) as caught:
        explain(encode_frame(Frame(command, bytes(SIZES[command] - 1))))
    assert caught.value.step is Step.LENGTH


def test_states_are_read_as_they_were_written_in_answer_and_heartbeat() -> None:
    data = encode_status(STATUS)
    head = encode_fields(FIELDS[0xA4], {"board": "53", "module": "8", "signal": 20})
    assert decode_status(Frame(ALL_PORTS, data)) == STATUS
    assert decode_status(decode_frame(encode_frame(Frame(HEARTBEAT, head + data)))) == STATUS
    assert decode_status(Frame(HEARTBEAT, head)) is None
    found = explain(encode_frame(Frame(ALL_PORTS, data)))
    assert found["machine"] == ["smoke"]
    assert found["ports"] == {1: "idle", 2: "charging", 3: "output_fault", 4: "relay_welded"}


def test_a_brief_answer_ends_with_the_states() -> None:
    brief = encode_status(replace(STATUS, count=0, charging=()))[:-1]
    assert decode_status(Frame(ALL_PORTS, brief)) == replace(STATUS, count=0, charging=())


@pytest.mark.parametrize("cut", [1, 12, 13 + 1 + 1])
def test_states_that_are_cut_short_are_refused(cut: int) -> None:
    data = encode_status(STATUS)[:-cut]
    with pytest.raises(Dc589Error) as caught:
        decode_status(Frame(ALL_PORTS, data))
    assert caught.value.step is Step.LENGTH


def test_more_ports_than_charge_are_refused() -> None:
    with pytest.raises(Dc589Error, match="0 ports charge"):
        decode_status(Frame(ALL_PORTS, encode_status(replace(STATUS, count=0))))


def test_the_offset_of_the_temperature_is_the_firmwares() -> None:
    fault = bytes.fromhex("EE 0D C0 00 00 00 00 00 00 01 04 3C E6 00 12")
    assert explain(fault)["temperature"] == 10
    assert explain(fault, offset=0)["temperature"] == 60
    machine = decode_status(Frame(ALL_PORTS, encode_status(STATUS, 0)), 0)
    assert machine == STATUS


def test_a_password_is_never_shown() -> None:
    frame = encode_frame(Frame(0xC3, encode_fields(FIELDS[0xC3], {"password": 8888, "float_power": 10})))
    found = explain(frame)
    assert "password" not in found
    assert "8888" not in str(found)
    assert found["float_power"] == 10


def test_an_unknown_command_is_shown_as_bytes() -> None:
    found = explain(encode_frame(Frame(0xF0, b"\1\2")))
    assert (found["command"], found["meaning"], found["data"]) == ("F0", "unknown", "01 02")


def test_what_does_not_fit_is_not_written() -> None:
    for bad in (Frame(0xA0, bytes(248)), Frame(0xA0, b"", b"12345"), Frame(256)):
        with pytest.raises(Dc589Error):
            encode_frame(bad)
    for name, value in (("power", 6553.6), ("port", -1), ("port", 256)):
        with pytest.raises(Dc589Error, match=name):
            encode_fields(FIELDS[0xC2], {name: value})
