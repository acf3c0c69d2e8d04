"""Sites with meters and inclinometers: what a line usually runs at, addresses, wildcards, passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from siteyaml import messages_of, site_of, write

from gateway.config import Secret, load

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
site: lvjing
gateway: gw-01
timezone: Asia/Shanghai
lines:
  meters: {serial: /dev/ttyUSB1, protocol: dlt645}
  covers: {serial: /dev/ttyUSB2, protocol: tilt68}
"""
LONE = "devices:\n  m-1: {profile: meter/dlt645-1p, line: meters, address: 1}\n"


def wrong(folder: Path, devices: str) -> list[str]:
    return messages_of(folder, f"devices:\n{devices}", head=HEAD)


def test_a_line_of_meters_runs_at_2400_even_where_the_site_says_nothing(tmp_path: Path) -> None:
    site = load(write(tmp_path, HEAD + LONE))
    meters = site.lines["meters"]
    assert (meters.baud, meters.parity, meters.stop, meters.timeout) == (2400, "even", 1, 0.6)
    assert (site.lines["covers"].baud, site.lines["covers"].parity) == (9600, "none")
    text = HEAD.replace("protocol: dlt645", "protocol: dlt645, baud: 9600, parity: none, timeout: 1s")
    meters = load(write(tmp_path, text + LONE)).lines["meters"]
    assert (meters.baud, meters.parity, meters.timeout) == (9600, "none", 1.0)


def test_an_address_with_its_zeros_dropped_is_filled_and_two_forms_of_one_are_the_same(
    tmp_path: Path,
) -> None:
    text = "  m-1: {profile: meter/dlt645-1p, line: meters, address: 161}\n"
    site = load(write(tmp_path, f"{HEAD}devices:\n{text}"))
    assert site.devices["m-1"].address == "000000000161"
    again = '  m-2: {profile: meter/dlt645-1p, line: meters, address: "000000000161"}\n'
    assert wrong(tmp_path, text + again) == [
        "9: devices.m-2.address: m-1 has address 000000000161 on line meters already"
    ]


def test_meters_of_a_spreadsheet_keep_their_addresses(tmp_path: Path) -> None:
    (tmp_path / "devices.csv").write_text(
        "name,profile,line,address\nm-1,meter/dlt645-1p,meters,161\nm-2,meter/dlt645-1p,meters,202600000162\n",
        encoding="utf-8",
    )
    site = load(write(tmp_path, HEAD + "ledger: devices.csv\n"))
    assert [d.address for d in site.devices.values()] == ["000000000161", "202600000162"]


@pytest.mark.parametrize("address", ["1.23457E+11", "999999999999", "-4", "AAA000000161"])
def test_what_is_no_address_is_told(address: str, tmp_path: Path) -> None:
    (message,) = wrong(tmp_path, f'  m-1: {{profile: meter/dlt645-1p, line: meters, address: "{address}"}}\n')
    assert message.startswith("8: devices.m-1.address: must be")
    assert "on a dlt645 line" in message


def test_an_address_that_a_spreadsheet_has_rounded_says_what_to_do(tmp_path: Path) -> None:
    line = "  m-1: {profile: meter/dlt645-1p, line: meters, address: 1.23457E+11}\n"
    (message,) = wrong(tmp_path, line)
    assert "format the column as text" in message


def test_a_wildcard_is_for_the_only_meter_of_a_line(tmp_path: Path) -> None:
    lone = "  m-1: {profile: meter/dlt645-1p, line: meters, address: AAAAAAAAAAAA}\n"
    assert wrong(tmp_path, lone) == []
    (message,) = wrong(tmp_path, f"{lone}  m-2: {{profile: meter/dlt645-1p, line: meters, address: 7}}\n")
    assert message == (
        "9: devices.m-2.address: 000000000007 reaches m-1 (AAAAAAAAAAAA) too, and both would answer at once; "
        "a wildcard is for the only meter of a line"
    )


def test_an_address_of_an_inclinometer_is_a_byte(tmp_path: Path) -> None:
    assert wrong(tmp_path, "  c-1: {profile: manhole/tilt68, line: covers, address: 0}\n") == []
    (message,) = wrong(tmp_path, "  c-1: {profile: manhole/tilt68, line: covers, address: 256}\n")
    assert "must be a whole number from 0 (as delivered) to 255" in message


def test_a_password_is_a_secret_and_only_where_it_opens_something(tmp_path: Path) -> None:
    meter = "  m-1: {profile: meter/dlt645-1p, line: meters, address: 1, allow_writes: [relay]"
    site = load(write(tmp_path, f"{HEAD}devices:\n{meter}, password: {{file: /etc/tocsin/meter}}}}\n"))
    password = site.devices["m-1"].password
    assert isinstance(password, Secret)
    assert str(password.file) == "/etc/tocsin/meter"
    (message,) = wrong(tmp_path, f'{meter}, password: "000000"}}\n')
    assert "devices.m-1.password" in message
    cover = "  c-1: {profile: manhole/tilt68, line: covers, address: 0, password: {file: /etc/x}}\n"
    assert wrong(tmp_path, cover) == ["8: devices.c-1.password: devices on a tilt68 line take none"]


def test_orders_without_a_password_are_told_before_one_is_needed(tmp_path: Path) -> None:
    meter = "  m-1: {profile: meter/dlt645-1p, line: meters, address: 1, allow_writes: [relay]}\n"
    site = load(write(tmp_path, f"{HEAD}devices:\n{meter}"))
    assert "m-1: it takes no orders without its password; set `password: {file: PATH}`" in site.notes


def test_a_profile_of_another_protocol_is_refused(tmp_path: Path) -> None:
    (message,) = wrong(tmp_path, "  m-1: {profile: meter/sdm120, line: meters, address: 1}\n")
    assert message.endswith("speaks modbus, but line meters is dlt645")
    assert site_of(tmp_path).devices["gas-1"].address == 1
