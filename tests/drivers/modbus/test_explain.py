"""`tocsin decode modbus-rtu|modbus-tcp`: frames from the specification and from domain.md, and anything else."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus import pdu
from drivers.modbus.explain import explain_pdu, explain_rtu, explain_tcp
from gateway.cli import main

RTU: list[tuple[str, dict[str, Any]]] = [
    # Request and answer of function 3, from the Modbus application protocol V1.1b3, section 6.3.
    ("11 03 00 6B 00 03 76 87", {"unit": 17, "function": 3, "kind": "request", "address": 107, "count": 3}),
    (
        "11 03 06 AE 41 56 52 43 40 49 AD",
        {"unit": 17, "function": 3, "kind": "answer", "registers": [0xAE41, 0x5652, 0x4340]},
    ),
    ("11 01 00 13 00 25 0E 84", {"unit": 17, "function": 1, "kind": "request", "address": 19, "count": 37}),
    ("11 05 00 AC FF 00 4E 8B", {"unit": 17, "function": 5, "kind": "write", "address": 172, "bits": [True]}),
    ("11 06 00 01 00 03 9A 9B", {"unit": 17, "function": 6, "kind": "write", "address": 1, "registers": [3]}),
    ("11 10 00 01 00 02 12 98", {"unit": 17, "function": 16, "kind": "answer", "address": 1, "count": 2}),
    (
        "0A 81 02 B0 53",
        {"unit": 10, "function": 1, "kind": "exception", "exception": 2},
    ),
    # Requests of meters and tilt sensors that their vendors publish: PZEM-004T (read all from any single meter, reset the
    # energy by its own function 42H), DDSU666 voltage, WitMotion rates of turn and unlock.
    ("F8 04 00 00 00 0A 64 64", {"unit": 248, "function": 4, "kind": "request", "address": 0, "count": 10}),
    ("01 42 80 11", {"unit": 1, "function": 0x42, "kind": "raw", "data": ""}),
    ("01 03 20 00 00 02 CF CB", {"unit": 1, "function": 3, "kind": "request", "address": 0x2000, "count": 2}),
    ("50 03 00 37 00 03 B9 84", {"unit": 80, "function": 3, "kind": "request", "address": 0x37, "count": 3}),
    (
        "50 06 00 69 B5 88 22 A1",
        {"unit": 80, "function": 6, "kind": "write", "address": 0x69, "registers": [0xB588]},
    ),
]


@pytest.mark.parametrize(("text", "wanted"), RTU, ids=[text for text, _ in RTU])
def test_a_known_rtu_frame_says_what_it_is(text: str, wanted: dict[str, Any]) -> None:
    found = explain_rtu(bytes.fromhex(text))
    assert {key: found[key] for key in wanted} == wanted


def test_a_tcp_frame_says_its_transaction_too() -> None:
    found = explain_tcp(bytes.fromhex("00 07 00 00 00 06 11 03 00 6B 00 03"))
    assert found == {
        "transaction": 7,
        "unit": 17,
        "function": 3,
        "kind": "request",
        "address": 107,
        "count": 3,
    }


@pytest.mark.parametrize("text", [text for text, _ in RTU])
def test_every_frame_cut_short_and_every_flipped_bit_is_refused(text: str) -> None:
    frame = bytes.fromhex(text)
    for end in range(len(frame)):
        with pytest.raises(ValueError, match=r"."):
            explain_rtu(frame[:end])
    for bit in range(8 * len(frame)):
        wrong = bytearray(frame)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match=r"."):
            explain_rtu(bytes(wrong))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        "00 07 00 00 00 06 11 03 00 6B 00",
        "00 07 00 00 00 06 11 03 00 6B 00 03 00",
        "00 07 00 01 00 06 11 03 00 6B 00 03",
        "00 07 00 00 00 01 11",
    ],
)
def test_a_broken_tcp_frame_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        explain_tcp(bytes.fromhex(text))


@given(st.binary(max_size=300))
def test_no_bytes_make_anything_but_a_value_error(data: bytes) -> None:
    for explain in (explain_rtu, explain_tcp):
        with contextlib.suppress(ValueError):
            assert json.dumps(explain(data))


@given(st.binary(min_size=1, max_size=253))
def test_no_pdu_makes_anything_but_a_value_error(data: bytes) -> None:
    """Past the checksum, where random bytes never come by themselves."""
    with contextlib.suppress(ValueError):
        assert json.dumps(explain_pdu(data))


@given(st.integers(0, 255), st.integers(1, 4), st.integers(0, 0xFF00), st.integers(1, 125))
def test_what_we_ask_is_explained_as_it_was_asked(unit: int, function: int, address: int, count: int) -> None:
    query = pdu.read(unit, function, address, count)
    wanted = {"unit": unit, "function": function, "kind": "request", "address": address, "count": count}
    assert explain_rtu(query.rtu) == wanted
    assert {key: explain_tcp(b"\0\7" + query.mbap)[key] for key in wanted} == wanted


def test_the_verb_prints_one_object_and_says_by_its_status_whether_the_frame_is_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["decode", "modbus-rtu", "110300", "6B", "0003:7687", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "protocol": "modbus-rtu",
        "ok": True,
        "fields": {"unit": 17, "function": 3, "kind": "request", "address": 107, "count": 3},
    }
    assert main(["decode", "modbus-rtu", "1103006B00037688", "-o", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], "fields" in found) == (False, False)
    assert main(["decode", "modbus-rtu", "xyz"]) == 2
