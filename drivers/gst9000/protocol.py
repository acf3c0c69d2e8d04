"""The printer port of a fire panel: see `drivers.entry`."""

from __future__ import annotations

from drivers.gst9000 import family as gst9000
from drivers.gst9000.talk import Printer, address_of
from drivers.heard_entry import heard

PRINTER = heard(gst9000.FAMILY, Printer, address_of)
