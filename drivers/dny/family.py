"""DNY as a family. Pure."""

from __future__ import annotations

from typing import Final

from drivers.dny.talk import check_item
from drivers.family import Family


def _check_write(item: str) -> str:
    return f"{item} is only told; nothing can be written here"


FAMILY: Final = Family("dny", check_item, _check_write)
