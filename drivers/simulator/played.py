"""Which protocols can be played, and how. Two plain dicts: one for the lines, one for the devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.simulator import dc589, dlt645, dny, gst9000, tilt
from drivers.simulator.image import Image
from drivers.simulator.listening import LISTENING
from drivers.simulator.modbus import MBAP, RTU
from drivers.simulator.witmotion import Sensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.profile import Limits, Point
    from drivers.simulator.dialect import Dialect
    from drivers.simulator.memory import Memory, Voice
    from drivers.simulator.unit import Address

DIALECTS: dict[str, Dialect] = {
    "modbus-rtu": RTU,
    "modbus-tcp": MBAP,
    "dlt645": dlt645.DIALECT,
    "tilt68": tilt.DIALECT_68,
    "tilt77": tilt.DIALECT_77,
    "witmotion": LISTENING,
    "dc589": LISTENING,
    "dny": LISTENING,
    "gst9000": LISTENING,
    "modbus-report": LISTENING,
}
"""By the protocol of a line: how its requests are cut out and its answers wrapped."""

MEMORIES: dict[str, Callable[[Mapping[str, Point], Limits], Memory]] = {
    "modbus": Image,
    "dlt645": dlt645.Meter,
    "tilt68": tilt.Inclinometer,
    "tilt77": tilt.Inclinometer77,
}
"""By the protocol of a profile: what its devices are inside."""

REPORTS = frozenset({"modbus-report"})
"""Lines on which devices that are asked elsewhere report by themselves."""

VOICES: dict[str, Callable[[Mapping[str, Point], Address], Voice]] = {
    "witmotion": lambda points, _: Sensor(points),
    "dc589": dc589.Board,
    "dny": dny.Board,
    "gst9000": gst9000.Printed,
}
"""By the protocol of a profile whose devices speak by themselves: what they are inside, and their voice."""
