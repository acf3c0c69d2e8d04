"""The stream of a WitMotion sensor: one word per period, and no damage in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noisy_stream import ACCELERATION, ANGLE, NoisyStream
from talk import moment

from drivers.conversation import Listeners
from drivers.witmotion.family import address, check_item
from drivers.witmotion.frame import Kind, cutter, encode_axes, encode_frame
from drivers.witmotion.stream import Stream

SCALES = {"angle": (ANGLE, 180 / 32768), "acceleration": (ACCELERATION, 16 / 32768)}
BITE = 0.05


def stream(every: float = 1.0) -> Stream:
    return Stream(Listeners({1: every}))


def angles(x: float, y: float = 0.0, z: float = 0.0) -> bytes:
    return encode_frame(encode_axes(Kind.ANGLE, x, y, z))


def level(*, x: float = 0.0, pull: float = 1.0) -> bytes:
    return encode_frame(encode_axes(Kind.ACCELERATION, 0, 0, pull, 2500)) + angles(x)


def run(talk: Stream, sensor: NoisyStream, seconds: float) -> list[tuple[float, dict[str, Any]]]:
    """What is told of so many seconds of a noisy stream, read in bites, and when."""
    found = []
    sets = round(BITE * sensor.rate)
    for number in range(1, round(seconds / BITE) + 1):
        now = number * BITE
        heard = talk.receive(b"".join(sensor.next_set() for _ in range(sets)), moment(now))
        found += [(now, dict(word.items)) for word in heard.told]
    return found


def wrong(told: list[tuple[float, dict[str, Any]]], sensor: NoisyStream) -> list[str]:
    """The values, extremes too, that lie outside what the sensor said in the second they stand for."""
    found = []
    for at, items in told:
        for name, value in items.items():
            group, _, rest = name.partition(".")
            if group not in SCALES:
                continue
            kind, scale = SCALES[group]
            low, high = sensor.envelope(kind, "xyz".index(rest[0]), at - 1.0 - 3 * BITE, at)
            if not low * scale - 1e-9 <= value <= high * scale + 1e-9:
                found.append(f"{at:.2f} s {name}: {value} not in {low * scale:.3f} to {high * scale:.3f}")
    return found


def test_half_a_minute_of_bit_noise_brings_no_wrong_value() -> None:
    sensor, talk = NoisyStream(2e-3, slips=1e-5, seed=7), stream()
    told = run(talk, sensor, 30)
    assert sensor.counts.passed >= 5, "else the noise proves nothing"
    assert len(told) >= 28
    assert wrong(told, sensor) == []


def test_control_a_reader_that_trusts_the_checksum_does_take_wrong_values() -> None:
    sensor, cut, taken = NoisyStream(2e-3, slips=1e-5, seed=7), cutter(), []
    for number in range(600):
        for frame in cut.feed(b"".join(sensor.next_set() for _ in range(10))):
            if frame.kind in {Kind.ANGLE, Kind.ACCELERATION}:
                name = frame.kind.name.lower()
                items = {f"{name}.{axis}": value for axis, value in zip("xyz", frame.axes or (), strict=True)}
                taken.append((BITE * (number + 1), items))
    assert wrong(taken, sensor)


def test_a_storm_of_noise_is_not_believed_at_all() -> None:
    sensor, talk = NoisyStream(1e-2), stream()
    assert run(talk, sensor, 5) == []
    assert talk.withheld >= 4


def test_a_jolt_moves_no_angle_but_its_strength_is_kept() -> None:
    talk, told = stream(), []
    for number in range(1, 601):
        now = number / 200
        jolt = 1.0 <= now < 1.2
        heard = talk.receive(level(x=25.0 if jolt else 0.5, pull=2.5 if jolt else 1.0), moment(now))
        told += [word.items for word in heard.told]
    middle = max(float(items["angle.x"] or 0) for items in told)
    assert middle == pytest.approx(0.5, abs=0.01)
    assert max(float(items["angle.x.max"] or 0) for items in told) == pytest.approx(25, abs=0.01)
    assert max(float(items["shock"] or 0) for items in told) == pytest.approx(1.5, abs=0.01)


def test_a_lift_that_lasts_is_told_within_a_period() -> None:
    talk, told = stream(), []
    for number in range(1, 451):
        now = number / 200
        heard = talk.receive(level(x=74.0 if now >= 1.0 else 0.0), moment(now))
        told += [float(word.items["angle.x"] or 0) for word in heard.told]
    assert told[-1] == pytest.approx(74, abs=0.01)


def test_a_slow_stream_is_told_after_three_frames() -> None:
    talk, told = stream(every=5.0), []
    for number in range(6):
        heard = talk.receive(level(x=3.0), moment(5.0 * number + 0.01))
        told += [word.items["angle.x"] for word in heard.told]
    assert told
    assert told[-1] == pytest.approx(3, abs=0.01)


def test_one_damaged_frame_of_a_slow_stream_is_not_told() -> None:
    talk, told = stream(every=5.0), []
    for number, x in enumerate((3.0, 3.0, 3.0, 120.0, 3.0, 3.0, 3.0)):
        heard = talk.receive(level(x=x), moment(5.0 * number + 0.01))
        told += [float(word.items["angle.x.max"] or 0) for word in heard.told]
    assert told
    assert max(told) == pytest.approx(3, abs=0.01)


def test_angles_that_gravity_contradicts_are_shown() -> None:
    talk = stream()
    told: list[Any] = []
    for number in range(1, 300):
        told += talk.receive(level(x=30.0), moment(number / 200)).told
    assert told[-1].items["disagreement"] == pytest.approx(30, abs=0.1)


def test_nothing_is_told_of_a_silent_port() -> None:
    talk = stream()
    assert talk.next_deadline() is None
    assert talk.receive(level() * 5, moment(0.0)).told == ()
    assert talk.next_deadline() == 1.0
    assert len(talk.tick(moment(1.0)).told) == 1
    assert talk.tick(moment(2.0)).told == ()
    assert talk.next_deadline() is None


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10), st.lists(st.integers(1, 40), min_size=1, max_size=30), st.binary(max_size=30))
def test_cut_anywhere_and_begun_in_the_middle_it_says_the_same(
    skipped: int, cuts: list[int], noise: bytes
) -> None:
    data = (level(x=12.0) * 6)[skipped:] + noise.replace(b"\x55", b"") + level(x=12.0) * 40
    whole, pieces = stream(), stream()
    whole.receive(data, moment(0.0))
    at = 0
    while at < len(data):
        for size in cuts:
            pieces.receive(data[at : at + size], moment(0.0))
            at += size
    one, other = whole.tick(moment(1.5)), pieces.tick(moment(1.5))
    assert one == other
    assert one.told[0].items["angle.x"] == pytest.approx(12, abs=0.01)


def test_the_stream_has_one_address_and_says_what_it_carries() -> None:
    assert address(1) == 1
    with pytest.raises(ValueError, match="must be 1"):
        address(2)
    assert check_item("angle.x.max") == ""
    assert "not 'tilt'" in check_item("tilt")
