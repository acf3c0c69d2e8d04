"""A played inclinometer of either family and the frames on its line. No I/O.

Frames and digits go through the driver's own codec: published frames prove it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.cutter import Cutter
from drivers.simulator.carried import Carried
from drivers.simulator.dialect import Asked
from drivers.tilt import frame as wire
from drivers.tilt.frame import Family, Frame, decode_frame, encode_frame
from drivers.tilt.query import READ_X, READ_Y, ZERO_MODE
from drivers.tilt.values import FINE, LONG, SHORT, encode_number

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from drivers.profile import Limits, Point
    from drivers.simulator.dialect import Stream
    from drivers.simulator.unit import Address, Unit
    from gateway.model import Value


class Inclinometer:
    """The inside of a sensor: requests and answers are `command, data` without frame. It never refuses."""

    plain = SHORT  # how angles are written where there is no temperature

    def __init__(self, points: Mapping[str, Point], limits: Limits) -> None:  # noqa: ARG002  as every memory
        self._carried = Carried(points)

    def update(self, values: Mapping[str, Value]) -> None:
        """Take the values of points."""
        self._carried.update(values)

    def forget(self, name: str) -> None:
        """Let a point that was written follow the persona again."""
        self._carried.forget(name)

    def holds(self, name: str) -> Value | None:
        """Return what was written to a point; None when nothing was."""
        return self._carried.holds(name)

    def answer(self, request: bytes) -> bytes | None:
        """Return the answer to a reading command; None to all others."""
        told = {item: float(value) for item, value in self._carried.items().items()}
        how = LONG if "temperature" in told else self.plain
        angles = [told.get("x", 0.0), told.get("y", 0.0), told.get("temperature", told.get("z", 0.0))]
        gravity = [told[axis] for axis in ("gravity.x", "gravity.y", "gravity.z") if axis in told]
        match request[0] if len(request) == 1 else None:
            case wire.READ:
                return bytes((wire.ANGLES,)) + b"".join(encode_number(angle, how) for angle in angles)
            case wire.GRAVITY if gravity:
                return bytes((wire.GRAVITY,)) + b"".join(encode_number(pull, FINE) for pull in gravity)
            case command if command in {READ_X, READ_Y}:
                return bytes((command | 0x80,)) + encode_number(angles[command - READ_X], how)
            case command if command == ZERO_MODE:
                return bytes((ZERO_MODE | 0x80, 0))
            case _:
                return None

    def refuse(self, request: bytes, code: int) -> None:  # noqa: ARG002  silence is all it can say
        """Return None: there are no refusals."""
        return

    def is_write(self, request: bytes) -> bool:  # noqa: ARG002  it takes none
        """Tell that nothing is written."""
        return False

    def is_refusal(self, reply: bytes) -> bool:  # noqa: ARG002  there are none
        """Tell that nothing is refused."""
        return False


class Inclinometer77(Inclinometer):
    """A sensor of the 0x77 family: four bytes a number."""

    plain = LONG


class _Stream:
    def __init__(self, family: Family) -> None:
        self._cutter = Cutter(wire.framing(family))

    def feed(self, data: bytes) -> list[Asked]:
        return [Asked(f.address, bytes((f.command,)) + f.data) for f in self._cutter.feed(data)]


class _Dialect:
    """Frames with a mark, a length, an address and a sum."""

    noise_reaches = True

    def __init__(self, family: Family) -> None:
        self._family = family

    def open(self, frame: bytes) -> Asked | None:
        found = _Stream(self._family).feed(frame)
        return found[0] if found else None

    def stream(self) -> Stream:
        return _Stream(self._family)

    def meant(self, asked: Asked, units: Mapping[Address, Unit]) -> tuple[Sequence[Unit], bool]:
        unit = units.get(asked.address)
        return (() if unit is None else (unit,)), True

    def nobody(self, asked: Asked) -> bytes | None:  # noqa: ARG002  silence
        return None

    def wrap(self, asked: Asked, unit: Unit, reply: bytes) -> bytes:  # noqa: ARG002  asked by its address
        return encode_frame(Frame(self._family, int(asked.address), reply[0], reply[1:]))

    def twin(self, frame: bytes, chance: random.Random) -> bytes:
        own = decode_frame(frame, self._family)
        data = bytes(byte & 0xF0 | chance.randrange(10) for byte in own.data)
        return encode_frame(Frame(self._family, own.address, own.command, data))


DIALECT_68: Final = _Dialect(Family.RION)
DIALECT_77: Final = _Dialect(Family.BW)
