"""GST9000 as a family. Pure."""

from __future__ import annotations

from typing import Final

from drivers.family import Family
from drivers.gst9000.talk import check_item

FAMILY: Final = Family("gst9000", check_item)
