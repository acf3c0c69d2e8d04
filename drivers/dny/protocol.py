"""Charging piles that speak the DNY protocol: see `drivers.entry`."""

from __future__ import annotations

from drivers.dny import family as dny
from drivers.dny.talk import Talk, physical_id
from drivers.heard_entry import heard

PILES = heard(dny.FAMILY, Talk, physical_id)
