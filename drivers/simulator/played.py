"""Which protocols can be played, and how. Two plain dicts: one for the lines, one for the devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.simulator.image import Image
from drivers.simulator.modbus import MBAP, RTU

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.profile import Limits, Point
    from drivers.simulator.dialect import Dialect
    from drivers.simulator.memory import Memory

DIALECTS: dict[str, Dialect] = {"modbus-rtu": RTU, "modbus-tcp": MBAP}
"""By the protocol of a line: how its requests are cut out and its answers wrapped."""

MEMORIES: dict[str, Callable[[Mapping[str, Point], Limits], Memory]] = {"modbus": Image}
"""By the protocol of a profile: what its devices are inside."""
