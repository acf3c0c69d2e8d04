"""Whole surveys over a bench without wires, in the time a real line would take."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from surveyed import Bench

from drivers.dlt645 import frame as dlt645
from drivers.modbus.pdu import crc
from drivers.simulator.making import make_unit
from drivers.survey.found import Found, Progress, Trouble
from drivers.survey.others import meter_matches
from drivers.survey.plan import Scope, likely
from drivers.survey.score import sketch
from drivers.survey.talk import Heard, Setting, Shot, Tongue
from drivers.survey.walk import Survey
from drivers.tilt import frame as tilt
from drivers.tilt.frame import Family
from drivers.witmotion import frame as witmotion
from gateway.config.profiles import load_profile, profile_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.simulator.unit import Unit
    from drivers.survey.found import Report

PROFILES = {name: load_profile(name) for name in profile_names()}
MODBUS = {name: profile for name, profile in PROFILES.items() if profile.protocol == "modbus"}
SKETCHES = [sketch(name, profile) for name, profile in MODBUS.items()]
SLOW, FAST, EVEN = Setting(2400), Setting(115200), Setting(19200, "even")
METERS = Setting(2400, "even")
ALL = Scope()
TWELVE = [
    (Setting(), "gas/oem-module", 17),
    (Setting(), "electrical_fire/em100", 2),
    (Setting(), "meter/pzem-016", 31),
    (Setting(), "manhole/witmotion", 80),
    (SLOW, "meter/sdm120", 1),
    (EVEN, "electrical_fire/rhu", 5),
    (EVEN, "gas/pemtech-pt495", 29),
    (FAST, "meter/ddsu666", 3),
    (FAST, "gas/generic", 90),
]


def played(setting: Setting, profile: str, address: int, turnaround: float = 0.012) -> tuple[Setting, Unit]:
    return setting, make_unit(f"{profile}-{address}", address, MODBUS[profile], turnaround=turnaround)


def meter(address: str, setting: Setting = METERS, after: float = 0.05) -> Callable[[Setting, Shot], bytes]:
    def hear(at: Setting, shot: Shot) -> bytes:
        if at != setting or shot.tongue is not Tongue.DLT645:
            return b""
        asked = dlt645.decode_frame(shot.frame)
        if not dlt645.matches(dlt645.Frame(address, 0), asked.address) or asked.edition == "1997":
            return b""
        data = bytes.fromhex(address)[::-1] if asked.function == dlt645.ADDRESS else asked.data + bytes(4)
        return dlt645.encode_frame(dlt645.Frame(address, asked.function | 0x80, data))

    return hear


def inclinometer(at: Setting, shot: Shot) -> bytes:
    if at != Setting() or shot.tongue is not Tongue.TILT77:
        return b""
    return tilt.encode_frame(tilt.Frame(Family.BW, 0, tilt.ANGLES, bytes(12)))


def together(*speakers: Callable[[Setting, Shot], bytes]) -> Callable[[Setting, Shot], Heard | None]:
    """Let several speak at once: one is understood, more lie over each other."""

    def hear(at: Setting, shot: Shot) -> Heard | None:
        said = [data for speaker in speakers if (data := speaker(at, shot))]
        if not said:
            return None
        merged = said[0]
        for other in said[1:]:
            merged = bytes(a & b for a, b in zip(merged, other, strict=True))
        return Heard(merged, 0.05)

    return hear


async def survey(
    bench: Bench, scope: Scope = ALL, budget: float = 75
) -> tuple[Report, list[Found | Progress]]:
    told: list[Found | Progress] = []
    early = likely(MODBUS.values(), scope.units)
    work = Survey(bench, SKETCHES, scope, early, bench.clock, told.append)
    return await work.run(bench.now + budget), told


def names(report: Report) -> set[tuple[Setting, str, str]]:
    return {(f.setting, f.who, f.matches[0].profile if f.matches else f.tongue.value) for f in report.found}


async def test_twelve_devices_of_different_families_and_rates_are_found_in_under_ninety_seconds() -> None:
    others = together(meter("000000000161"), meter("202400017709", Setting(9600, "even")), inclinometer)
    bench = Bench([played(*each) for each in TWELVE], others)
    report, told = await survey(bench)
    wanted = {(setting, str(address), profile) for setting, profile, address in TWELVE}
    wanted |= {(METERS, "000000000161", "dlt645"), (Setting(9600, "even"), "202400017709", "dlt645")}
    wanted |= {(Setting(), "0", "tilt77")}
    assert names(report) == wanted
    assert bench.now < 90
    assert [event for event in told if isinstance(event, Found)] == report.found


async def test_who_speaks_another_protocol_may_be_any_of_its_profiles() -> None:
    one, two = (replace(MODBUS["meter/generic"], protocol="dlt645") for _ in range(2))
    bench = Bench([], together(meter("000000000161")))
    others = {"meter/a": one, "meter/b": two}
    scope = Scope(frozenset({Tongue.DLT645}), (METERS,), listen=False)
    work = Survey(bench, [], scope, [], bench.clock, lambda _: None, others=others)
    (found,) = (await work.run(75)).found
    assert [(m.profile, m.share) for m in found.matches] == [("meter/a", 0.45), ("meter/b", 0.45)]


async def test_an_empty_line_is_done_with_and_says_what_it_did() -> None:
    report, told = await survey(Bench([]), budget=1000)
    assert report.found == []
    assert report.left_out == []
    shown = [event for event in told if isinstance(event, Progress)]
    assert all(0 <= event.done <= event.total for event in shown)


async def test_what_there_was_no_time_for_is_named() -> None:
    report, _ = await survey(Bench([]), budget=12)
    left = {(step.setting, step.what) for step in report.left_out}
    assert (Setting(57600), "1-32, 80") in left
    assert (Setting(9600), "33-79, 81-99") in left
    assert (Setting(9600), "1-32, 80") not in left


async def test_a_device_that_thinks_long_is_found_by_its_late_answer() -> None:
    late: list[Heard] = []

    def slow(at: Setting, shot: Shot) -> Heard | None:
        """Answer 80 ms after the question, into whatever comes next."""
        if at != Setting() or shot.tongue is not Tongue.MODBUS:
            return None
        if shot.frame[0] == 9:
            body = bytes.fromhex("09 03 02 00 07")
            answer = Heard(body + crc(body), 0.08)
            if shot.patience > 0.1:
                return answer
            late.append(Heard(answer.data, 0.03))
            return None
        return late.pop() if late else None

    report, _ = await survey(Bench([], slow))
    assert ("9", None) in {(f.who, f.trouble) for f in report.found}


async def test_two_devices_with_one_address_are_called_what_they_are() -> None:
    chance = random.Random(3)

    def twins(at: Setting, shot: Shot) -> Heard | None:
        if at != Setting() or shot.tongue is not Tongue.MODBUS or shot.frame[0] != 7:
            return None
        return Heard(bytes([7, 3, *chance.randbytes(8)]), 0.01)

    report, _ = await survey(Bench([], twins))
    assert [(f.who, f.trouble) for f in report.found] == [("7", Trouble.GARBLED)]


async def test_two_whole_answers_to_one_question_are_two_devices() -> None:
    def twice(at: Setting, shot: Shot) -> Heard | None:
        if at != Setting() or shot.tongue is not Tongue.MODBUS or shot.frame[0] != 7:
            return None
        one, other = bytes.fromhex("07 03 02 00 01"), bytes.fromhex("07 03 02 00 02")
        return Heard(one + crc(one) + other + crc(other), 0.01)

    report, _ = await survey(Bench([], twice))
    assert [(f.who, f.trouble) for f in report.found] == [("7", Trouble.TWICE)]


async def test_garbage_all_the_time_is_the_line_and_not_two_hundred_devices() -> None:
    chance = random.Random(4)

    def babble(at: Setting, _: Shot) -> Heard | None:
        return Heard(chance.randbytes(9), 0.001) if at == Setting() else None

    bench = Bench([played(FAST, "meter/ddsu666", 3)], babble)
    report, _ = await survey(bench)
    assert report.noisy == [Setting()]
    assert names(report) == {(FAST, "3", "meter/ddsu666")}
    assert bench.now < 90


@pytest.mark.parametrize("count", [2, 5])
async def test_meters_that_answer_at_once_are_told_apart_by_their_last_digits(count: int) -> None:
    addresses = [f"{n * 7919:010d}{17 + 3 * n:02d}" for n in range(1, count + 1)]
    report, _ = await survey(Bench([], together(*map(meter, addresses))), budget=600)
    assert {f.who for f in report.found} == set(addresses)


async def test_who_talks_by_himself_is_found_by_listening_at_whatever_rate() -> None:
    frame = witmotion.encode_frame(witmotion.encode_axes(witmotion.Kind.ANGLE, 1, 2, 3))
    garbage = random.Random(5).randbytes(60)
    bench = Bench([], talk={Setting(9600): garbage, Setting(115200): garbage, Setting(57600): frame * 5})
    report, _ = await survey(bench, Scope(tongues=frozenset()))
    assert [(f.tongue, f.setting) for f in report.found] == [(Tongue.WITMOTION, Setting(57600))]


async def test_an_adapter_that_echoes_is_noticed_and_does_no_harm() -> None:
    unit = played(Setting(), "meter/pzem-016", 4)[1]

    def echo(at: Setting, shot: Shot) -> Heard | None:
        own = shot.frame
        if at == Setting() and shot.tongue is Tongue.MODBUS and shot.frame[0] == 4:
            body = b"\x04" + (unit.hear(shot.frame[1:-2], 0.0, random.Random(1)) or b"")
            own += body + crc(body)
        return Heard(own, 0.01)

    report, _ = await survey(Bench([], echo), budget=600)
    assert report.echo
    assert names(report) == {(Setting(), "4", "meter/pzem-016")}


async def test_who_is_polled_already_is_neither_asked_nor_told() -> None:
    bench = Bench([played(Setting(), "meter/pzem-016", 4), played(Setting(), "gas/oem-module", 17)])
    early = likely(MODBUS.values(), range(1, 33))
    scope = Scope(settings=(Setting(),), units=range(1, 33), listen=False)
    work = Survey(bench, SKETCHES, scope, early, bench.clock, lambda _: None, lambda _t, who, _s: who == "4")
    report = await work.run(75)
    assert names(report) == {(Setting(), "17", "gas/oem-module")}
    assert all(shot.frame[0] != 4 for _, shot in bench.shots if shot.tongue is Tongue.MODBUS)


async def test_a_known_model_is_not_read_longer_than_it_takes_to_know_it() -> None:
    bench = Bench([played(Setting(), "gas/oem-module", 17)])
    await survey(bench, Scope(settings=(Setting(),)))
    asked = sum(shot.frame[0] == 17 for _, shot in bench.shots if shot.tongue is Tongue.MODBUS)
    assert asked < 12


def items_of(profile: str) -> set[str]:
    return {point.item for point in PROFILES[profile].points.values() if point.readable}


@pytest.mark.parametrize("profile", ["meter/dlt645-1p", "meter/dlt645-3p", "meter/dlt645-1997"])
def test_meters_are_told_apart_by_the_items_they_have(profile: str) -> None:
    meters = {name: p for name, p in PROFILES.items() if p.protocol == "dlt645"}
    every = {item for name in meters for item in items_of(name)}
    best, *others = meter_matches(items_of(profile), every - items_of(profile), meters)
    assert best.profile == profile
    assert best.share > 0.7
    assert all(other.share < 0.2 for other in others)


def test_a_meter_that_refuses_everything_is_none_of_ours() -> None:
    meters = {name: p for name, p in PROFILES.items() if p.protocol == "dlt645"}
    assert meter_matches(set(), {item for name in meters for item in items_of(name)}, meters) == []
