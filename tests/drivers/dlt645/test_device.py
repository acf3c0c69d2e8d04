"""A meter as the gateway reads it: blocks, refusals, follow-up frames, wildcards, and orders to its relay."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from field import at, field, settings
from wire import ScriptedWire

from drivers.dlt645 import query
from drivers.dlt645.frame import Edition, Frame, decode_frame, encode_frame
from drivers.errors import BadAnswer, NoAnswer, Refused
from drivers.profile import Limits, Point, Profile
from drivers.registry import make_device, make_line
from drivers.simulator import dlt645 as played
from gateway.config.profiles import load_profile
from gateway.model import Quality

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "000000000161"
ONE = load_profile("meter/dlt645-1p")
THREE = load_profile("meter/dlt645-3p")
OLD = load_profile("meter/dlt645-1997")
NAME = {"zh": "试验", "en": "trial"}


def small(limits: Limits = Limits(), **items: str) -> Profile:  # noqa: B008  frozen
    points = {name: Point(item=item, name=NAME) for name, item in items.items()}
    return Profile("meter", NAME, "tests", points, "dlt645", limits=limits)


def hexed(control: int, *data: int, address: str = ADDRESS, wake_up: int = 0) -> str:
    return encode_frame(Frame(address, control, bytes(data)), wake_up).hex(" ")


def asked(control: int, *data: int, address: str = ADDRESS) -> str:
    return f">> {hexed(control, *data, address=address, wake_up=4)}"


def answer(control: int, *data: int, address: str = ADDRESS) -> str:
    return f"<< {hexed(control, *data, address=address, wake_up=4)}"


UA = (0x00, 0x01, 0x01, 0x02)
ALL_U = (0x00, 0xFF, 0x01, 0x02)
VOLTS = (0x01, 0x23)  # 230.1


async def read(script: str, profile: Profile, address: str = ADDRESS, rounds: int = 1) -> list[Any]:
    async with ScriptedWire(script) as wire:
        line = make_line(at(wire.path, "dlt645"))
        await line.open()
        device = make_device("meter-1", profile, address, line)
        told = [await device.read(profile.reported) for _ in range(rounds)]
        await line.close()
    return told


@pytest.mark.parametrize("way", ["pty", "tcp"])
async def test_every_point_of_the_shipped_meters_is_read(way: str, tmp_path: Path) -> None:
    meters = {
        "a": ("meter/dlt645-1p", 161),
        "b": ("meter/dlt645-3p", 202600000003),
        "c": ("meter/dlt645-1997", 7),
    }
    async with field(settings(way, "dlt645", tmp_path), meters) as site:
        for name, (_, address) in meters.items():
            profile = site.profiles[name]
            values, bad = await site.device(name, address).read(profile.reported)
            assert bad == {}
            player = site.simulation.stage.units[name].player
            for point, value in values.items():
                truth = player.value(point, site.simulation.now())
                assert value == pytest.approx(truth, rel=0.1, abs=0.6) if point != "relay" else value == truth


async def test_phases_come_as_blocks_where_that_saves_time_and_single_items_do_not(tmp_path: Path) -> None:
    async with field(settings("pty", "dlt645", tmp_path), {"b": ("meter/dlt645-3p", 3)}) as site:
        await site.device("b", 3).read(site.profiles["b"].reported)
        dis = [decode_frame(data).data[::-1].hex() for data in site.requests()]
        assert dis[:3] == ["00010000", "00020000", "0201ff00"]
        assert len(dis) == 9, "sixteen points in nine requests"


async def test_a_meter_that_refuses_blocks_is_asked_one_by_one_from_then_on() -> None:
    profile = small(a="02010100", b="02010200")
    ub = (0x00, 0x02, 0x01, 0x02)
    single = [asked(0x11, *UA), answer(0x91, *UA, *VOLTS), asked(0x11, *ub), answer(0x91, *ub, 0x07, 0x22)]
    script = [asked(0x11, *ALL_U), answer(0xD1, 0x02), *single, *single]
    told = await read("\n".join(script), profile, rounds=2)
    assert told == [({"a": 230.1, "b": 220.7}, {})] * 2


async def test_a_block_that_is_shorter_than_wanted_is_not_guessed_at() -> None:
    ub = (0x00, 0x02, 0x01, 0x02)
    script = [asked(0x11, *ALL_U), answer(0x91, *ALL_U, *VOLTS), asked(0x11, *UA), answer(0x91, *UA, *VOLTS)]
    script += [asked(0x11, *ub), answer(0xD1, 0x02)]
    told = await read("\n".join(script), small(a="02010100", b="02010200"))
    assert told == [({"a": 230.1}, {"b": Quality.REFUSED})]


async def test_a_profile_that_forbids_blocks_gets_none() -> None:
    ub = (0x00, 0x02, 0x01, 0x02)
    script = [asked(0x11, *UA), answer(0x91, *UA, *VOLTS), asked(0x11, *ub), answer(0x91, *ub, *VOLTS)]
    profile = small(Limits(bridge=False), a="02010100", b="02010200")
    assert await read("\n".join(script), profile) == [({"a": 230.1, "b": 230.1}, {})]


async def test_what_a_meter_does_not_have_is_refused_and_not_asked_for_again() -> None:
    hz = (0x02, 0x00, 0x80, 0x02)
    first = [asked(0x11, *UA), answer(0x91, *UA, *VOLTS), asked(0x11, *hz), answer(0xD1, 0x02)]
    again = [asked(0x11, *UA), answer(0x91, *UA, *VOLTS)]
    told = await read("\n".join([*first, *again]), small(u="02010100", f="02800002"), rounds=2)
    assert told == [({"u": 230.1}, {"f": Quality.REFUSED})] * 2


async def test_a_meter_that_has_nothing_is_asked_all_the_same_so_that_its_loss_is_seen() -> None:
    turn = [asked(0x11, *UA), answer(0xD1, 0x02)]
    assert (
        await read("\n".join(turn * 2), small(u="02010100"), rounds=2) == [({}, {"u": Quality.REFUSED})] * 2
    )


async def test_digits_that_are_none_are_no_value() -> None:
    script = [asked(0x11, *UA), answer(0x91, *UA, 0xFF, 0xFF)]
    assert await read("\n".join(script), small(u="02010100")) == [({}, {"u": Quality.SENTINEL})]


async def test_an_item_of_another_width_is_a_broken_answer_not_a_value() -> None:
    script = [asked(0x11, *UA), answer(0x91, *UA, 1, 2, 3)]
    with pytest.raises(BadAnswer, match="voltage_a has 2 bytes"):
        await read("\n".join(script), small(u="02010100"))


async def test_follow_up_frames_are_fetched_until_the_last_and_joined() -> None:
    block = (0x00, 0xFF, 0x01, 0x00)
    first, second, third = (0, 0, 1, 0, 0), (0, 2, 0), (0, 0, 3, 0)  # an item is cut in two
    script = [asked(0x11, *block), answer(0xB1, *block, *first)]
    script += [asked(0x12, *block, 1), answer(0xB2, *block, *second, 1)]
    script += [asked(0x12, *block, 2), answer(0x92, *block, *third, 2)]
    told = await read("\n".join(script), small(e="00010000", e1="00010100", e2="00010200"))
    assert told == [({"e": 100.0, "e1": 200.0, "e2": 300.0}, {})]


async def test_an_answer_without_end_is_given_up() -> None:
    script = [asked(0x11, *UA), answer(0xB1, *UA, 1)]
    for number in range(1, 17):
        script += [asked(0x12, *UA, number), answer(0xB2, *UA, 1, number)]
    with pytest.raises(BadAnswer, match="without end"):
        await read("\n".join(script), small(u="02010100"))


async def test_the_1997_edition_has_its_own_functions_and_counts_no_follow_up_frames() -> None:
    u, e = (0x11, 0xB6), (0x10, 0x90)
    script = [asked(0x01, *e), answer(0xA1, *e, 0x26, 0x00), asked(0x02, *e), answer(0x82, *e, 0x00, 0x00)]
    script += [asked(0x01, *u), answer(0x81, *u, 0x30, 0x02)]
    assert await read("\n".join(script), small(u="B611", e="9010")) == [({"u": 230, "e": 0.26}, {})]


async def test_an_answer_far_longer_than_the_request_foretold_is_waited_for() -> None:
    """200 bytes at 2400 baud take longer than the whole patience with a silent meter."""
    block = (0x00, 0xFF, 0x01, 0x00)
    good = bytes.fromhex(hexed(0x91, *block, *range(196), wake_up=4))
    pieces = "\n".join(f"<< {good[i : i + 16].hex()}\nwait 70ms" for i in range(0, len(good), 16))
    async with ScriptedWire(f"{asked(0x11, *block)}\n{pieces}") as wire:
        line = make_line(at(wire.path, "dlt645", baud=2400, timeout=0.1))
        await line.open()
        assert (await line.exchange(query.read(ADDRESS, 0x0001FF00)))[5:] == bytes(range(196))
        await line.close()


async def test_a_wildcard_is_answered_by_the_only_meter_under_its_own_address(tmp_path: Path) -> None:
    script = [asked(0x11, *UA, address="A" * 12), answer(0x91, *UA, *VOLTS, address="202600000003")]
    assert await read("\n".join(script), small(u="02010100"), "A" * 12) == [({"u": 230.1}, {})]
    async with field(settings("pty", "dlt645", tmp_path), {"m": ("meter/dlt645-1p", "AAAAAAAA0161")}) as site:
        assert (await site.device("m", "AAAAAAAA0161").read(("voltage",)))[1] == {}


async def test_an_answer_of_another_meter_or_about_another_item_is_not_taken() -> None:
    other = (0x00, 0x02, 0x01, 0x02)
    script = [asked(0x11, *UA), answer(0x91, *UA, 9, 9, address="000000000162"), answer(0x91, *other, 9, 9)]
    with pytest.raises(NoAnswer):
        await read("\n".join(script), small(u="02010100"))


async def test_noise_before_an_answer_and_wake_up_bytes_cost_nothing() -> None:
    script = [asked(0x11, *UA), "<< 68 00 13", answer(0x91, *UA, *VOLTS)]
    assert await read("\n".join(script), small(u="02010100")) == [({"u": 230.1}, {})]


async def test_a_spoilt_answer_is_asked_for_once_more_behind_a_fence() -> None:
    good = hexed(0x91, *UA, *VOLTS)
    spoilt = good.replace("68 91", "68 95")
    fence = (0x00, 0x00, 0x01, 0x00)  # forward energy: another shape, its value is not used
    script = [asked(0x11, *UA), f"<< {spoilt}", asked(0x11, *fence), answer(0x91, *fence, 1, 2, 3, 4)]
    script += [asked(0x11, *UA), f"<< {good}"]
    assert await read("\n".join(script), small(u="02010100")) == [({"u": 230.1}, {})]


async def test_a_refusal_says_why_in_words() -> None:
    async with ScriptedWire(f"{asked(0x11, *UA)}\n{answer(0xD1, 0x06)}") as wire:
        line = make_line(at(wire.path, "dlt645"))
        await line.open()
        with pytest.raises(
            Refused, match=r"there is no such data, wrong password.*encrypted only.*06"
        ) as told:
            await line.exchange(query.read(ADDRESS, 0x02010100))
        assert told.value.code == 6
        await line.close()


# --- orders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "held"), [("open", "open"), ("permit_close", "closed"), ("closed", "closed")]
)
async def test_the_relay_is_ordered_by_the_meters_own_clock_and_read_back(
    word: str, held: str, tmp_path: Path
) -> None:
    async with field(settings("pty", "dlt645", tmp_path), {"m": ("meter/dlt645-1p", 161)}) as site:
        device = site.device("m", 161, "000000")
        assert await device.write("relay", word) == held
        assert (await device.read(("relay",)))[0] == {"relay": held}
        functions = [decode_frame(data).control for data in site.requests()]
        assert functions == [0x11, 0x11, 0x1C, 0x11, *([0x11] * (word == "permit_close") * 2), 0x11]
        order = decode_frame(site.requests()[2]).data
        assert order[:8] == bytes((2, 0, 0, 0, 0, 0, 0, 0))
        assert order[10:][::-1].hex() == f"{played.CLOCK:%y%m%d%H}0500", "five minutes by its clock"


async def test_a_wrong_password_is_refused_and_the_relay_stays(tmp_path: Path) -> None:
    async with field(settings("pty", "dlt645", tmp_path), {"m": ("meter/dlt645-1p", 161)}) as site:
        device = site.device("m", 161, "04:123456")
        with pytest.raises(Refused, match="wrong password"):
            await device.write("relay", "open")
        assert (await device.read(("relay",)))[0] == {"relay": "closed"}
        assert "123456" not in repr(vars(device))


@pytest.mark.parametrize(
    ("point", "value", "address", "password", "why"),
    [
        ("relay", "open", 161, None, "needs the meter's password"),
        ("relay", "explode", 161, "000000", "none of open, closed, permit_close"),
        ("voltage", 3, 161, "000000", "may not be written"),
        ("nothing", 3, 161, "000000", "may not be written"),
        ("relay", "open", "A" * 12, "000000", "not to a wildcard"),
    ],
)
async def test_an_order_that_may_not_be_given_puts_no_byte_on_the_wire(
    point: str, value: Any, address: int | str, password: str | None, why: str, tmp_path: Path
) -> None:
    async with field(settings("pty", "dlt645", tmp_path), {"m": ("meter/dlt645-1p", 161)}) as site:
        with pytest.raises(ValueError, match=why):
            await site.device("m", address, password).write(point, value)
        assert site.line.stats.bytes_out == 0


async def test_a_meter_whose_clock_shows_nothing_gets_no_order() -> None:
    time, date = (0x02, 0x01, 0x00, 0x04), (0x01, 0x01, 0x00, 0x04)
    script = [
        asked(0x11, *time),
        answer(0x91, *time, 0, 0, 0),
        asked(0x11, *date),
        answer(0x91, *date, 0, 0, 0, 0),
    ]
    async with ScriptedWire("\n".join(script)) as wire:
        line = make_line(at(wire.path, "dlt645"))
        await line.open()
        device = make_device("m", ONE, ADDRESS, line, "000000")
        with pytest.raises(BadAnswer, match="shows 00000000 000000, which is no time; set it"):
            await device.write("relay", "open")
        await line.close()


def test_only_the_relay_can_be_written_in_a_profile() -> None:
    from drivers.checks import check  # noqa: PLC0415
    from drivers.registry import FAMILIES  # noqa: PLC0415

    relay = ONE.points["relay"]
    points = {**ONE.points, "energy": replace(ONE.points["energy"], write=relay.write)}
    found = check(replace(ONE, points=points), FAMILIES)
    assert any(p.path == ("points", "energy", "write") and "only the relay" in p.what for p in found)


@pytest.mark.parametrize("text", ["", "12345", "0000000", "abcdef", "2:000000"])
async def test_a_text_that_is_no_password_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="six digits") as told:
        make_device("m", ONE, 161, make_line(at("/dev/null", "dlt645")), text)
    assert not text or text not in str(told.value)


async def test_exchanges_may_be_cancelled_at_any_moment(tmp_path: Path) -> None:
    async with field(settings("pty", "dlt645", tmp_path), {"m": ("meter/dlt645-1p", 161)}) as site:
        device = site.device("m", 161)
        for pause in (0.0, 0.001, 0.003):
            task = asyncio.create_task(device.read(("voltage", "frequency")))
            await asyncio.sleep(pause)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        values: dict[str, Any] = {}
        while not values:
            try:
                values, bad = await device.read(("voltage", "frequency"))
            except NoAnswer:
                await asyncio.sleep(0.02)
            else:
                assert bad == {}
        assert values["frequency"] == pytest.approx(50, abs=0.2)


def test_both_editions_share_no_function_that_a_request_of_ours_uses() -> None:
    old, new = query.read(ADDRESS, 0xB611, Edition.Y1997), query.read(ADDRESS, 0x02010100)
    assert old.shape[0] != new.shape[0]
    assert old.refusal != new.refusal
