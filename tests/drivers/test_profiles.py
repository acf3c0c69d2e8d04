"""One test for all device models: each loads, is sound, and decodes its capture to the true values."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from captured import overheard, replay
from ruamel.yaml import YAML
from spoken import SPOKEN
from talk import moment

from drivers.checks import check
from drivers.conversation import Listeners
from drivers.items import compile_items
from drivers.line.settings import LineSettings
from drivers.modbus.plan import Cost, plan
from drivers.points import compile_block, compile_finish
from drivers.ports import ports_of, shorten
from drivers.profile import KINDS, Profile
from drivers.registry import FAMILIES, PROTOCOLS
from drivers.simulator.image import Image
from drivers.simulator.making import make_unit
from drivers.simulator.persona import parse_dramas, parse_persona
from drivers.simulator.played import MEMORIES
from drivers.simulator.player import Player
from gateway.config.profiles import Library, load_profile
from gateway.config.report import Report

if TYPE_CHECKING:
    from drivers.conversation import Conversation
    from drivers.registers import Table
    from drivers.simulator.unit import Unit

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "tests" / "captures"
NAMES = sorted(
    f.relative_to(ROOT / "drivers/profiles").with_suffix("").as_posix()
    for f in (ROOT / "drivers/profiles").glob("*/*.yaml")
)
IN_REGISTERS = [n for n in NAMES if load_profile(n).protocol == "modbus"]
ASKED = [n for n in NAMES if load_profile(n).protocol in SPOKEN]
TALKING = [
    n for n in NAMES if (protocol := load_profile(n).protocol) in PROTOCOLS and PROTOCOLS[protocol].hears
]
SERIAL = Cost(byte=11 / 9600, silence=0.004, turnaround=0.03)
CONTRACT = {
    "gas/generic": ({"lel", "co"}, {"lel-high", "lel-high-high", "co-high"}),
    "electrical_fire/generic": (
        {"residual_current", "cable_temperature"},
        {"residual-high", "residual-high-high", "temperature-high"},
    ),
    "charging_pile/generic": ({"voltage", "current", "power", "energy", "temperature"}, {"over-current"}),
    "manhole/generic": (
        {"tilt_x", "tilt_y", "tilt", "water_level", "battery"},
        {"displaced", "open", "overturned", "flooded"},
    ),
}


def load(name: str) -> Profile:
    report = Report()
    entry = Library().get(name, report)
    assert entry is not None, f"{name} does not load: {vars(report)}"
    return entry.profile


def capture(name: str) -> dict[str, Any]:
    file = CAPTURES / f"{name.replace('/', '-')}.yaml"
    assert file.is_file(), f"{name} has no capture: write {file}"
    found: dict[str, Any] = YAML(typ="safe").load(file)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_loads_and_nothing_is_wrong_with_it(name: str) -> None:
    profile = load(name)
    assert check(profile, FAMILIES) == []
    assert name.split("/", maxsplit=1)[0] == profile.kind


@pytest.mark.parametrize("name", NAMES)
async def test_its_capture_decodes_to_the_true_values(name: str) -> None:
    profile, known = load(name), capture(name)
    assert known["profile"] == name
    seen = overheard(profile, known) if "heard" in known else replay(profile, known)
    others = {point for point, (port, _) in ports_of(profile).items() if port > 1}
    assert seen - others == set(profile.reported) - others, "every point has a true value in the capture"


@pytest.mark.parametrize("name", NAMES)
def test_its_requests_bring_every_point_that_can_be_read(name: str) -> None:
    profile = load(name)
    for protocol, entry in PROTOCOLS.items():
        if entry.family.name == profile.protocol and not entry.hears:
            found = entry.requests(profile, list(profile.points), LineSettings("l", protocol, tcp="h:1"))
            told = [point for request in found for point in request.points]
            assert sorted(told) == sorted(n for n, p in profile.points.items() if p.readable)


@pytest.mark.parametrize("name", IN_REGISTERS)
def test_its_requests_fit_the_device(name: str) -> None:
    profile = load(name)
    blocks = plan(profile.points, SERIAL, profile.limits, first=profile.needs(profile.alarm_points))
    read = [n for block in blocks for n in block.points]
    assert sorted(read) == sorted(n for n, p in profile.points.items() if p.readable)
    assert all(b.count <= profile.limits.max_registers for b in blocks if not b.table.is_bits)


def on_the_wire(table: Table, held: list[int]) -> bytes:
    if not table.is_bits:
        return b"".join(register.to_bytes(2, "big") for register in held)
    return sum(bit << i for i, bit in enumerate(held)).to_bytes((len(held) + 7) // 8, "little")


@pytest.mark.parametrize("name", ASKED)
def test_it_can_be_played_and_asked_and_stays_believable(name: str) -> None:
    profile = load(name)
    spoken = SPOKEN[profile.protocol]
    player = Player(parse_persona(profile.persona), parse_dramas(profile.dramas), name)
    memory = MEMORIES[profile.protocol](profile.points, profile.limits)
    items = compile_items(profile, profile.reported)
    asks = spoken.asks(profile)

    def look(t: float) -> tuple[dict[str, Any], dict[str, Any]]:
        memory.update(player.values(t))
        replies = [memory.answer(request) for request in asks]
        carried: dict[str, Any] = {}
        for reply in replies:
            assert reply is not None
            assert not memory.is_refusal(reply)
            carried |= spoken.carried(spoken.frame(reply), profile)
        return items.values(carried)

    for t in range(0, 7200, 67):
        values, bad = look(float(t))
        assert bad == {}, f"at {t} s"
        assert set(values) == set(profile.reported)
    for drama in profile.dramas:
        player.start(drama, 8000.0)
        for t in range(8001, 8100, 7):
            assert look(float(t))[1] == {}, drama
        player.stop(drama)


def talked(unit: Unit, talk: Conversation, start: float, seconds: float) -> dict[str, Any]:
    """What a played device says by itself within a time, answered as the gateway would: the last of each item."""
    carried: dict[str, Any] = {}
    for step in range(round(seconds / 0.25)):
        now = start + 0.25 * step
        words = unit.speak(now, now) if (unit.next_word() or 0.0) <= now else b""
        for word in (*talk.receive(words, moment(now)).told, *talk.tick(moment(now)).told):
            carried |= word.items
        while data := talk.to_send(now):
            if reply := unit.hear(data, now, random.Random(1)):
                talk.receive(reply, moment(now))
    return carried


@pytest.mark.parametrize("name", TALKING)
def test_what_it_says_when_played_is_understood(name: str) -> None:
    """At rest and through each drama nothing it says is bad, and it tells every point that a rule judges."""
    profile = shorten(load(name), 1)
    entry = PROTOCOLS[profile.protocol]
    address = entry.address(capture(name)["address"])
    unit = make_unit("played", address, profile)
    assert entry.talk is not None
    talk, items = entry.talk(Listeners({address: 1.0})), compile_items(profile, profile.reported)
    seen: set[str] = set()
    for number, drama in enumerate(("", *profile.dramas)):
        if drama:
            unit.player.start(drama, 200.0 * number)
            unit.stale()
        values, bad = items.values(talked(unit, talk, 200.0 * number, 100.0))
        assert {point: why for point, why in bad.items() if why != "no_answer"} == {}, drama
        seen |= values.keys()
        unit.player.ended(200.0 * number + 190)
    assert {
        p for rule in profile.rules.values() for p in (rule.get("point"), *rule.get("points", ())) if p
    } <= seen


@pytest.mark.parametrize("name", IN_REGISTERS)
def test_it_can_be_played_and_stays_believable(name: str) -> None:
    profile = load(name)
    player = Player(parse_persona(profile.persona), parse_dramas(profile.dramas), name)
    image, finish = Image(profile.points, profile.limits), compile_finish(profile)
    blocks = plan(profile.points, SERIAL, replace(profile.limits, bridge=False))
    decoders = [
        compile_block({n: profile.points[n] for n in b.points}, b.start, b.count, b.table) for b in blocks
    ]
    for t in range(0, 7200, 67):
        image.update(player.values(float(t)))
        values: dict[str, Any] = {}
        bad: dict[str, Any] = {}
        for block, decoder in zip(blocks, decoders, strict=True):
            good, wrong = decoder.decode(
                on_the_wire(block.table, image.read(block.table, block.start, block.count))
            )
            values |= good
            bad |= wrong
        if finish is not None:
            finish(values, bad)
        assert bad == {}, f"at {t} s"
        assert set(values) == set(profile.reported)
    for drama in profile.dramas:
        player.start(drama, 8000.0)
        for t in range(8001, 8100, 7):
            player.values(float(t))
        player.stop(drama)


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_its_clause_and_speaks_both_languages(name: str) -> None:
    profile = load(name)
    assert "bad-data" in profile.rules
    assert "stale" in profile.rules or profile.defaults.quiet
    for rule_name, rule in profile.rules.items():
        assert rule["source"].strip(), rule_name
        messages = [rule.get("message"), *(c.get("message") for c in rule.get("codes", {}).values())]
        messages = [m for m in messages if m]
        assert messages, rule_name
        for message in messages:
            assert set(message) == {"zh", "en"}
            assert re.search("[\u4e00-\u9fff]", message["zh"])
            assert not re.search("[\u4e00-\u9fff]", message["en"])


def test_every_kind_has_a_generic_profile() -> None:
    assert {f"{kind}/generic" for kind in KINDS} <= set(NAMES)


@pytest.mark.parametrize("name", CONTRACT)
def test_the_generic_profiles_have_the_names_of_the_contract(name: str) -> None:
    profile = load(name)
    points, rules = CONTRACT[name]
    assert points <= set(profile.reported)
    assert rules <= set(profile.rules)


def test_only_what_must_be_reset_by_hand_latches() -> None:
    """`residual-high` clears by itself (rule tests of the contract), its second level does not."""
    rules = load("electrical_fire/generic").rules
    assert rules["residual-high"]["latch"] is False
    assert rules["residual-high-high"]["latch"] is True


@pytest.mark.parametrize("phases", ["", "-3p"])
def test_the_breaker_can_be_opened_from_afar_but_not_closed(phases: str) -> None:
    write = load(f"electrical_fire/leakage-breaker{phases}").points["breaker"].write
    assert write is not None
    assert write.words == ("open",)


@pytest.mark.parametrize("phases", ["", "-3p"])
def test_what_a_source_does_not_state_is_asked_of_the_site(phases: str) -> None:
    points = load(f"electrical_fire/leakage-breaker{phases}").points
    assert all("scale" in p.confirm for n, p in points.items() if n != "breaker")


def test_every_capture_belongs_to_a_profile() -> None:
    assert {f.stem for f in CAPTURES.glob("*.yaml")} >= {n.replace("/", "-") for n in NAMES}
