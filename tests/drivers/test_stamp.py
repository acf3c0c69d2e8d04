"""Times as devices send them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bcd import from_bcd, to_bcd
from drivers.stamp import Stamp, stamp_from_bcd, stamp_of, stamp_to_bcd


def test_a_time_that_does_not_exist_has_no_iso_form() -> None:
    assert Stamp(26, 2, 28, 23, 59, 59).iso() == "2026-02-28T23:59:59"
    assert Stamp(26, 2, 30, 0, 0, 0).iso() is None
    assert Stamp(0, 0, 0, 0, 0, 0).iso() is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001  # devices know no zone
def test_a_time_survives_its_decimal_form(when: datetime) -> None:
    stamp = stamp_of(when)
    assert stamp_from_bcd(stamp_to_bcd(stamp)) == stamp
    assert stamp.iso() == when.replace(microsecond=0).isoformat()


def test_a_year_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="2100"):
        stamp_of(datetime(2100, 1, 1, tzinfo=UTC))


def test_digits_that_are_none_are_no_time_and_no_number() -> None:
    assert stamp_from_bcd(bytes.fromhex("26 11 2A 00 00 00")) is None
    assert from_bcd(b"\xff\xff") is None
    assert from_bcd(b"") is None
    assert to_bcd(161, 6).hex() == "000000000161"
    with pytest.raises(ValueError, match="does not fit"):
        to_bcd(100, 1)
