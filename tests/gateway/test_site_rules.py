"""Rules of the whole site: bound when it is read, judged by the gateway, shown and acknowledged like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from small_gateway import SITE, Running, write_site

from gateway.config import Site, load
from gateway.facts import site_facts
from gateway.specs import judged_points, site_specs
from rules.conditions import Sibling, Vote

if TYPE_CHECKING:
    from pathlib import Path

VOTE = "  gas-vote: {{type: vote, of: lel-high, zone: b3, m: 2, level: 1, pre_level: 3, class: gas}}\n"
WEAK = "  weak: {{type: expr, expr: 'box-1.battery < 20 or box-2.battery < 20', level: 4}}\n"
BOTH = (
    SITE.replace("every: 100ms, place", "every: 100ms, zone: b3, place").replace(
        "address: 2, every: 100ms", "address: 2, every: 100ms, zone: b3"
    )
    + "rules:\n"
    + VOTE
    + WEAK
)


def site_with(folder: Path, *rules: str) -> Site:
    return load(write_site(folder, BOTH + "".join(rules)))


def level(gateway: Running) -> int | None:
    row = gateway.alarm("zone.b3", "gas-vote")
    return None if row is None else row["level"]


def test_a_rule_lives_at_its_zone_or_at_the_site(tmp_path: Path) -> None:
    site = site_with(tmp_path)
    assert {home: [rule.name for rule in rules] for home, rules in site.rules.items()} == {
        "zone.b3": ["gas-vote"],
        "site": ["weak"],
    }
    vote = site.rules["zone.b3"][0]
    assert isinstance(vote, Vote)
    assert vote.members == ("box-1", "box-2")
    specs = {spec.key: spec for spec in site_specs(site)}
    assert specs["zone.b3", "gas-vote"].context.place["zh"] == "区域 b3"
    assert site_facts(site)["zone.b3"].zone == "b3"


def test_a_rule_for_many_devices_is_put_at_each(tmp_path: Path) -> None:
    site = site_with(
        tmp_path, "  flat: {{type: rate, devices: 'box-*', point: battery, limit: 5, direction: down}}\n"
    )
    assert [d.name for d in site.devices.values() if any(r.name == "flat" for r in d.rules)] == [
        "box-1",
        "box-2",
    ]
    one = site_with(tmp_path, "  flat: {{type: rate, devices: [box-2], point: battery, limit: 5}}\n")
    assert [d.name for d in one.devices.values() if any(r.name == "flat" for r in d.rules)] == ["box-2"]


def test_what_rules_of_others_look_at_is_read_as_often_as_what_the_own_ones_do(tmp_path: Path) -> None:
    assert judged_points(site_with(tmp_path)) == {"box-1": {"lel", "battery"}, "box-2": {"lel", "battery"}}


def test_a_rule_without_enough_peers_sleeps_and_says_so(tmp_path: Path) -> None:
    site = site_with(tmp_path, "  odd: {{type: sibling, devices: 'box-*', point: lel, margin: 5}}\n")
    assert not any(isinstance(r, Sibling) for d in site.devices.values() for r in d.rules)
    assert "2 devices (box-1 ...): rule odd sleeps: " in " ".join(site.notes)


def test_the_gateway_and_its_lines_can_be_named_too(tmp_path: Path) -> None:
    site = site_with(
        tmp_path,
        "  lost: {{type: expr, expr: 'line.plant/line-down and gateway.broker_away > 60', level: 2}}\n",
    )
    assert [rule.name for rule in site.rules["site"]] == ["weak", "lost"]


def test_a_vote_and_an_expression_in_a_gateway_that_runs(tmp_path: Path) -> None:
    with Running(tmp_path, BOTH) as gateway:
        gateway.wait(lambda: gateway.daemon.get("/status"))
        gateway.play("box-1", "lel", 30)
        gateway.wait(lambda: level(gateway) == 3)
        gateway.play("box-2", "lel", 30)
        gateway.wait(lambda: level(gateway) == 1)
        vote = gateway.alarm("zone.b3", "gas-vote")
        assert vote is not None
        assert (vote["class"], vote["value"]) == ("gas", 2)
        gateway.play("box-2", "battery", 10)
        assert gateway.wait(lambda: gateway.alarm("site", "weak"))
