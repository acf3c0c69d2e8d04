"""Which protocols can be played, and how. Two plain dicts: one for the lines, one for the devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.simulator import dlt645, tilt
from drivers.simulator.image import Image
from drivers.simulator.modbus import MBAP, RTU

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.profile import Limits, Point
    from drivers.simulator.dialect import Dialect
    from drivers.simulator.memory import Memory

DIALECTS: dict[str, Dialect] = {
    "modbus-rtu": RTU,
    "modbus-tcp": MBAP,
    "dlt645": dlt645.DIALECT,
    "tilt68": tilt.DIALECT_68,
    "tilt77": tilt.DIALECT_77,
}
"""By the protocol of a line: how its requests are cut out and its answers wrapped."""

MEMORIES: dict[str, Callable[[Mapping[str, Point], Limits], Memory]] = {
    "modbus": Image,
    "dlt645": dlt645.Meter,
    "tilt68": tilt.Inclinometer,
    "tilt77": tilt.Inclinometer77,
}
"""By the protocol of a profile: what its devices are inside."""
