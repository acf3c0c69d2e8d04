"""GST9000 as a family. Pure."""

from __future__ import annotations

from typing import Final

from drivers.family import Family
from drivers.gst9000.talk import check_item


def _check_write(item: str) -> str:
    return f"{item} is only told; nothing can be written here"


FAMILY: Final = Family("gst9000", check_item, _check_write)
