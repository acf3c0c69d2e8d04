"""Which profile a played unit looks like, and how sure that is."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from drivers.profile import Defaults, Identity, Point, Profile
from drivers.registers import PointType, Table
from drivers.simulator.making import make_unit
from drivers.survey.image import Image, Span, spans
from drivers.survey.score import SURE, rank, sketch
from drivers.survey.talk import Setting
from gateway.config.profiles import load_profile, profile_names

if TYPE_CHECKING:
    from drivers.simulator.unit import Unit

SHIPPED = {name: load_profile(name) for name in profile_names()}
MODBUS = {name: profile for name, profile in SHIPPED.items() if profile.protocol == "modbus"}
SKETCHES = [sketch(name, profile) for name, profile in MODBUS.items()]
SPANS = sorted({span for each in SKETCHES for span in each.spans}, key=lambda s: (s.table, -s.count, s.start))
ALIKE = {"meter/sdm120": {"meter/sdm230"}, "meter/sdm230": {"meter/sdm120"}}
"""Models of one family that hold the same registers: nothing but their rate tells them apart."""


TELLING = [
    "electrical_fire/em100", "electrical_fire/leakage-breaker", "electrical_fire/rhu", "gas/oem-module", "gas/generic",
    "gas/pemtech-pt495", "manhole/generic", "manhole/witmotion", "manhole/witmotion-hp",
    "meter/ddsu666", "meter/pzem-016", "meter/sdm120", "meter/sdm230",
]  # fmt: skip
"""Models whose registers say which they are; the others are templates and boxes of a few bits."""


def looked_at(unit: Unit, spans_: list[Span] = SPANS) -> Image:
    image = Image()
    for span in spans_:
        if image.has(span):
            continue
        reply = unit.hear(span.query(1).pdu, 10.0, random.Random(1))
        assert reply is not None
        if reply[0] & 0x80:
            image.refused.add(span)
        else:
            image.take(span, reply[1:])
    return image


@pytest.mark.parametrize("name", sorted(MODBUS))
def test_every_shipped_model_is_recognised_among_all_others(name: str) -> None:
    profile = MODBUS[name]
    address = profile.defaults.address or 5
    image = looked_at(make_unit(name, address, profile))
    setting = Setting(profile.defaults.baud or 9600, profile.defaults.parity or "none")
    best, *others = rank(SKETCHES, image, address, setting)
    own = next(match.share for match in (best, *others) if match.profile == name)
    assert best.share <= SURE
    if name in TELLING:
        assert best.profile in {name, *ALIKE.get(name, ())}
        assert name in ALIKE or best.share > 2 * others[0].share
    elif any(not point.is_bit for point in profile.points.values()):
        assert own > best.share / 4
    else:  # one bit is like another: it is only not ruled out
        assert own > 0.03


def test_shares_are_shares_and_leave_room_for_the_unknown() -> None:
    for name in ("gas/oem-module", "contact/generic"):
        matches = rank(SKETCHES, looked_at(make_unit(name, 5, MODBUS[name])), 5)
        assert 0 < sum(match.share for match in matches) < 1 + 1e-9


def test_who_answers_everything_with_zeros_is_nobody_we_know() -> None:
    image = Image()
    for span in SPANS:
        image.take(span, bytes([2 * span.count]) + bytes(2 * span.count))
    assert rank(SKETCHES, image, 5)[0].share < 0.5


def test_who_refuses_everything_is_nobody_we_know() -> None:
    image = Image(refused=set(SPANS))
    assert rank(SKETCHES, image, 5)[0].share < 0.15


def test_who_was_not_asked_anything_is_nobody() -> None:
    shares = [match.share for match in rank(SKETCHES, Image(), 5)]
    assert max(shares) < 0.1


def two(points: dict[str, Point], **more: object) -> Profile:
    return Profile("gas", {"zh": "x", "en": "x"}, "tests", points, **more)  # type: ignore[arg-type]  # by name


LEVEL = Point("holding:0", PointType.UINT16, range=(0, 100))
CODE = Point("holding:1", PointType.UINT16, enum={1: "a", 2: "b"})


def image_of(*words: int) -> Image:
    image = Image(refused={Span(Table.INPUT, 0, 1), Span(Table.HOLDING, 500, 1)})
    image.take(
        Span(Table.HOLDING, 0, len(words)),
        bytes([2 * len(words)]) + b"".join(w.to_bytes(2, "big") for w in words),
    )
    return image


def share(profile: Profile, image: Image, address: int = 5, setting: Setting | None = None) -> float:
    rival = two({"x": Point("input:0", PointType.UINT16)})
    found = rank([sketch("gas/it", profile), sketch("gas/rival", rival)], image, address, setting)
    return next(match.share for match in found if match.profile == "gas/it")


def test_each_kind_of_evidence_moves_the_share() -> None:
    both = two({"level": LEVEL, "code": CODE})
    plain = share(both, image_of(50, 1))
    assert share(both, image_of(5000, 1)) < plain  # outside its range
    assert share(both, image_of(50, 77)) < plain  # a code nobody knows
    known = replace(both, identity=(Identity("holding:1", (1,)),))
    assert share(known, image_of(50, 1)) > plain
    assert share(known, image_of(50, 2)) < plain
    at_home = replace(both, defaults=Defaults(baud=9600, address=5))
    assert share(at_home, image_of(50, 1), 5, Setting(9600)) > share(
        at_home, image_of(50, 1), 6, Setting(2400)
    )
    assert share(both, image_of(50, 1, 7, 7, 7, 7, 7)) < plain  # more there than it explains


def test_large_numbers_prove_more_than_zeros() -> None:
    point = Point("holding:0", PointType.UINT16, range=(2000, 2500))
    zero_too = Point("holding:0", PointType.UINT16, range=(0, 2500))
    assert share(two({"v": point}), image_of(2300)) > share(
        two({"v": replace(point, range=None)}), image_of(2300)
    )
    assert share(two({"v": zero_too}), image_of(0)) == pytest.approx(
        share(two({"v": replace(zero_too, range=None)}), image_of(0)), abs=0.02
    )


def test_a_scale_that_the_site_must_tell_is_no_evidence() -> None:
    vague = replace(LEVEL, confirm=("scale",))
    assert share(two({"level": vague}), image_of(5000)) > share(two({"level": LEVEL}), image_of(5000))


def test_a_value_without_its_decimals_is_not_shown() -> None:
    image = looked_at(make_unit("gas/oem-module", 5, MODBUS["gas/oem-module"]))
    best = rank(SKETCHES, image, 5)[0]
    assert "lel" not in best.values
    assert best.values["status"] == "normal"


def test_spans_are_runs_without_holes_and_no_longer_than_the_device_takes() -> None:
    for profile in MODBUS.values():
        for span in spans(profile):
            most = profile.limits.max_bits if span.table.is_bits else profile.limits.max_registers
            assert span.count <= most
        claimed = {(s.table, a) for s in spans(profile) for a in range(s.start, s.end)}
        for point in profile.points.values():
            if point.readable:
                assert {(point.table, point.address + i) for i in range(point.count)} <= claimed


def test_an_answer_of_somebody_who_answers_anything_proves_less() -> None:
    both = two({"level": LEVEL, "code": CODE})
    closed = image_of(50, 1)
    talkative = image_of(50, 1)
    for start in range(1000, 3000, 100):
        closed.refused.add(Span(Table.HOLDING, start, 1))
        talkative.take(Span(Table.INPUT, start, 1), b"\x02\x00\x07")
    beside = replace(both, points={**both.points, "x": Point("input:1000", PointType.UINT16)})
    assert share(both, closed) > share(beside, talkative)
