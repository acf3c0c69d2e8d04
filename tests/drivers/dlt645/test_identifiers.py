"""DL/T 645 data identifiers: every value that fits is read as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dlt645.frame import Dlt645Error, Edition
from drivers.dlt645.identifiers import Quantity, decode_value, encode_value, quantity

KNOWN = [
    (0x00010000, "forward_active_energy", "kWh", 4),
    (0x00000000, "combined_active_energy", "kWh", 4),
    (0x00020000, "reverse_active_energy", "kWh", 4),
    (0x00010100, "forward_active_energy_tariff_1", "kWh", 4),
    (0x02010300, "voltage_c", "V", 2),
    (0x02020100, "current_a", "A", 3),
    (0x02030000, "active_power_total", "kW", 3),
    (0x02040000, "reactive_power_total", "kvar", 3),
    (0x02050000, "apparent_power_total", "kVA", 3),
    (0x02060000, "power_factor_total", "", 2),
    (0x02800001, "neutral_current", "A", 3),
    (0x02800002, "frequency", "Hz", 2),
    (0x02800007, "temperature", "°C", 2),
    (0x04000401, "address", "", 6),
    (0x04000503, "status_word_3", "", 2),
    (0x0201FF00, "voltage", "V", 2),
    (0x0001FF00, "forward_active_energy", "kWh", 4),
]


@pytest.mark.parametrize(("di", "name", "unit", "size"), KNOWN)
def test_an_identifier_has_its_quantity(di: int, name: str, unit: str, size: int) -> None:
    how = quantity(di)
    assert how is not None
    assert (how.name, how.unit, how.size) == (name, unit, size)


@pytest.mark.parametrize(
    "di", [0x02010000, 0x02010400, 0x02010101, 0x00014000, 0x0001000D, 0x05000000, 0x000B0000]
)
def test_an_unknown_identifier_is_not_guessed(di: int) -> None:
    assert quantity(di) is None


def test_the_editions_do_not_share_identifiers() -> None:
    assert quantity(0xB611) is None
    assert quantity(0x02010100, Edition.Y1997) is None
    how = quantity(0xB611, Edition.Y1997)
    assert how is not None
    assert (how.name, how.unit) == ("voltage_a", "V")


HOWS = [how for di, *_ in KNOWN if (how := quantity(di)) is not None and how.kind == "number"]


@given(st.sampled_from(HOWS), st.data())
def test_a_value_is_read_as_it_was_written(how: Quantity, drawn: st.DataObject) -> None:
    top = 8 * 10 ** (2 * how.size - 1) if how.signed else 100**how.size
    number = drawn.draw(st.integers(1 - top if how.signed else 0, top - 1))
    value = number / 10**how.decimals
    data = encode_value(how, value)
    assert len(data) == how.size
    assert decode_value(how, data) == pytest.approx(value)


@pytest.mark.parametrize("how", HOWS, ids=lambda how: how.name)
def test_a_value_that_does_not_fit_is_not_written(how: Quantity) -> None:
    top = (8 * 10 ** (2 * how.size - 1) if how.signed else 100**how.size) / 10**how.decimals
    for value in (top, -top):
        with pytest.raises(ValueError, match="does not fit"):
            encode_value(how, value)


@given(st.sampled_from(HOWS), st.binary(max_size=8))
def test_any_bytes_are_a_value_or_none_or_refused(how: Quantity, data: bytes) -> None:
    if len(data) != how.size:
        with pytest.raises(Dlt645Error):
            decode_value(how, data)
    else:
        assert isinstance(decode_value(how, data), float | None)
