"""DNY as a family. Pure."""

from __future__ import annotations

from typing import Final

from drivers.dny.talk import check_item
from drivers.family import Family

FAMILY: Final = Family("dny", check_item)
