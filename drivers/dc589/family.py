"""DC589 as a family. Pure."""

from __future__ import annotations

from typing import Final

from drivers.dc589.items import check_item, check_write
from drivers.family import Family

FAMILY: Final = Family("dc589", check_item, check_write)
