"""Two gateways see one device: the owner tells people, the other one marks it foreign (alarms.md 4.5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from siteyaml import site_of

from gateway.facts import site_facts
from gateway.links import encode
from gateway.model import Instant, Sample
from gateway.people import telling
from gateway.specs import site_specs, site_tree
from rules.desk import Desk
from rules.engine import counted_ids

if TYPE_CHECKING:
    from pathlib import Path

WALL, NANO = 1_790_000_000 * 10**9, 10**9
DEVICE = """\
devices:
  gas-1: {{profile: gas/generic, line: bus, address: 1, gateway: {gateway}}}
"""


def told(folder: Path, gateway: str) -> tuple[list[str], list[str]]:
    """Let gas escape; the marks of the events, and who was told."""
    site = site_of(folder, DEVICE.format(gateway=gateway))
    facts, topics = site_facts(site), encode.Topics(site.site, site.gateway)
    desk = Desk(site_specs(site), {}, counted_ids(1), Instant(0.0, WALL), site_tree(site), telling(site))
    marks = []
    for second in range(1, 6):
        now = Instant(float(second), WALL + second * NANO)
        events = desk.observe([Sample("gas-1", now.wall, now.mono, {"lel": 60.0})], now)
        marks += [json.loads(encode.event(event, facts["gas-1"], topics))["foreign"] for event in events]
    return marks, [notice.person for notice in desk.notices.outbox.notices.values()]


def test_the_owner_tells(tmp_path: Path) -> None:
    marks, people = told(tmp_path, "gw-01")
    assert set(marks) == {""}
    assert "fire_center" in people


def test_the_other_one_watches_and_marks_and_tells_nobody(tmp_path: Path) -> None:
    marks, people = told(tmp_path, "gw-02")
    assert set(marks) == {"gw-02"}
    assert people == []


def test_the_check_says_so(tmp_path: Path) -> None:
    site = site_of(tmp_path, DEVICE.format(gateway="gw-02"))
    assert any("belongs to gateway gw-02" in note for note in site.notes)
