"""Charging boards that speak the DC589 protocol: see `drivers.entry`."""

from __future__ import annotations

from drivers.dc589 import family as dc589
from drivers.dc589.items import board_id
from drivers.dc589.talk import Talk
from drivers.heard_entry import heard

BOARDS = heard(dc589.FAMILY, Talk, board_id)
