"""The ladders of a site file, as the engine climbs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from siteyaml import DEVICE, site_of

from gateway.people import site_ladders

if TYPE_CHECKING:
    from pathlib import Path

LADDERS = """\
people: {guard: {}, duty: {}, repair: {}}
ladders:
  fire_gas_red:
    verify: {to: [guard], ack: 10s, investigate: 2m}
    steps:
      - {at: 0s, to: [duty], until: accepted}
      - {at: 2m, to: [repair], if: "not dispositioned"}
  red: {verify: none, steps: [{at: 0s, to: [duty]}]}
  blue: {steps: [{at: shift_start, to: [repair]}]}
"""


def test_a_site_says_who_looks_first_and_what_waits_for_the_shift(tmp_path: Path) -> None:
    ladders = site_ladders(site_of(tmp_path, DEVICE + LADDERS))
    fire = ladders["fire_gas_red"]
    assert fire.verify is not None
    assert (fire.verify.to, fire.verify.ack, fire.verify.investigate) == (("guard",), 10.0, 120.0)
    assert [(s.at, s.to, s.until, s.condition) for s in fire.steps] == [
        (0.0, ("duty",), "accepted", None),
        (120.0, ("repair",), None, "not dispositioned"),
    ]
    assert ladders["red"].verify is None
    assert [(s.at, s.to) for s in ladders["blue"].steps] == [(None, ("repair",))]
