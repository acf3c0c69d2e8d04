"""The fields of DC589 commands, as one table for reading and writing. Pure.

The vendor's own comments read temperatures without the offset of -50 that his tables state; which one a
board follows depends on its firmware, so the offset is an option everywhere.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from drivers.bcd import from_bcd, to_bcd
from drivers.cutter import Step
from drivers.dc589.frame import Dc589Error
from drivers.stamp import Stamp, stamp_from_bcd, stamp_to_bcd

TEMPERATURE_OFFSET: Final = -50


class Field(NamedTuple):
    """One field: `kind` is number, temperature, digits, text or time."""

    name: str
    size: int = 1
    kind: str = "number"
    decimals: int = 0


_PORT: Final = Field("port")
_RESULT: Final = Field("result")
_TIME: Final = Field("time", 6, "time")
_BOARD: Final = Field("board", 8, "digits")
_MODULE: Final = Field("module", 8, "digits")
_SIGNAL: Final = Field("signal")
_ORDER: Final = Field("order", 8, "digits")
_MINUTES: Final = (
    Field("remaining_minutes", 2),
    Field("remaining_seconds"),
)
_ELAPSED: Final = (Field("elapsed_minutes", 2), Field("elapsed_seconds"))
_POWER: Final = Field("power", 2, decimals=1)  # W
_ENERGIES: Final = (Field("remaining_energy", 2, decimals=3), Field("energy", 2, decimals=3))  # kWh
_TYPE: Final = Field("charge_type")
_PAYMENT: Final = Field("payment")
_CARD: Final = Field("card", 4)
_TIER: Final = Field("tier")
CHARGING: Final = (_PORT, *_MINUTES, *_ELAPSED, *_ENERGIES, _POWER)
"""What follows for every charging port, 13 bytes."""
MACHINE: Final = (
    Field("machine"),
    Field("voltage", 2),
    Field("temperature", 1, "temperature"),
    Field("ports"),
)
"""Whole-machine bits, mains in V, temperature, and how many port states follow."""
_ONE_PORT: Final = (
    _PORT,
    Field("state"),
    _ORDER,
    Field("started", 6, "time"),
    *_MINUTES,
    _TYPE,
    *_ELAPSED,
    _PAYMENT,
    *_ENERGIES,
    _POWER,
    _TIER,
    Field("amount", 1, decimals=1),
    _CARD,
)
_END: Final = (
    Field("flag"),
    _PORT,
    _ORDER,
    Field("started", 6, "time"),
    Field("ended", 6, "time"),
    *_MINUTES,
    _TYPE,
    *_ELAPSED,
    _PAYMENT,
    *_ENERGIES,
    Field("amount", 2, decimals=2),
    _CARD,
    Field("reason"),
    _TIER,
    _POWER,
)
_PARAMETERS: Final = (
    Field("mode"),
    Field("volume"),
    Field("coin", 2),
    Field("swipe", 2),
    Field("swipe_price", 1, decimals=1),
    Field("refund"),
    *(Field(f"tier_{n}_power", 2, decimals=1) for n in range(1, 6)),
    *(Field(f"tier_{n}_percent") for n in range(1, 6)),
    Field("stop_when_full"),
    Field("float_power", 2, decimals=1),
    Field("float_time", 2),
    Field("removal_time", 2),
    Field("password", 2, "secret"),
    Field("hot_limit"),  # °C without offset, 255 is off
)
_DEFAULTS: Final = (
    Field("result"),
    Field("operation"),
    Field("removal_power", 2, decimals=1),
    Field("reserved", 2),
)
HEAD_A4: Final = (_BOARD, _MODULE, _SIGNAL)
FIELDS: Final[dict[int, tuple[Field, ...]]] = {
    0xA0: (
        _BOARD,
        Field("hardware", 8, "text"),
        Field("software", 8, "text"),
        Field("version", 2),
        _MODULE,
        Field("sim", 10, "hex"),
        _SIGNAL,
    ),
    0xA1: (_RESULT, _TIME),
    0xA2: (Field("control"), Field("new_id"), Field("id", 8, "text")),
    0xA3: (Field("control"), _RESULT),
    0xA4: HEAD_A4,
    0xA5: (_RESULT,),
    0xA6: (Field("interval", 2), Field("with_ports")),
    0xA7: (_RESULT,),
    0xA8: (_TIME,),
    0xA9: (_TIME,),
    0xB0: (Field("mode"),),
    0xB1: (),
    0xB2: (_PORT,),
    0xB3: _ONE_PORT,
    0xB4: _ONE_PORT,
    0xB5: (_RESULT, _PORT),
    0xB6: (_PORT, _CARD, Field("amount", 1, decimals=1), Field("reserved", 4)),
    0xB7: (_PORT, _ORDER, _TYPE, _PAYMENT, Field("granted", 2), _CARD, Field("balance", 2, decimals=1)),
    0xB8: (_RESULT, _PORT),
    0xB9: (_PORT,),
    0xBA: (_RESULT, _PORT),
    0xBB: _END,
    0xBC: (_RESULT, _PORT),
    0xBD: (_RESULT, _CARD, Field("balance", 2, decimals=1), Field("reserved", 2)),
    0xC0: (_PORT, Field("fault"), Field("temperature", 1, "temperature"), Field("voltage", 2)),
    0xC1: (_RESULT, _PORT),
    0xC2: (
        _PORT,
        Field("minutes_before", 2),
        Field("tier_before"),
        Field("minutes_after", 2),
        Field("tier_after"),
        _POWER,
    ),
    0xC3: _PARAMETERS,
    0xC4: (_RESULT,),
    0xC5: (Field("control"),),
    0xC6: _PARAMETERS,
    0xC7: (Field("control"),),
    0xD0: (Field("control"), _CARD),
    0xD1: (_RESULT, _CARD, Field("balance", 2, decimals=1)),
    0xE0: _DEFAULTS,
    0xE1: _DEFAULTS,
}
"""Fields by command; B1, and A4 with states, go on with what `ports.py` reads."""


def size_of(fields: tuple[Field, ...]) -> int:
    """Return how many bytes the fields take."""
    return sum(field.size for field in fields)


def decode_fields(fields: tuple[Field, ...], data: bytes, offset: int = TEMPERATURE_OFFSET) -> dict[str, Any]:
    """Return the values of the fields the data begin with. Raises Dc589Error when they are too few."""
    if len(data) < size_of(fields):
        raise Dc589Error(
            Step.LENGTH, f"the command has {size_of(fields)} bytes of data, these are {len(data)}"
        )
    found: dict[str, Any] = {}
    at = 0
    for field in fields:
        found[field.name] = _decode(field, data[at : at + field.size], offset)
        at += field.size
    return found


def encode_fields(
    fields: tuple[Field, ...], values: dict[str, Any], offset: int = TEMPERATURE_OFFSET
) -> bytes:
    """Return the bytes of the values; what is not given is zero. Raises Dc589Error when one does not fit."""
    return b"".join(_encode(field, values.get(field.name), offset) for field in fields)


def _decode(field: Field, piece: bytes, offset: int) -> Any:  # noqa: ANN401  # a table of fields has values of all kinds
    number = int.from_bytes(piece, "little")
    if field.kind == "time":
        return stamp_from_bcd(piece)
    if field.kind == "digits" and from_bcd(piece) is None:
        raise Dc589Error(Step.SANITY, f"{field.name} {piece.hex(' ')} is not decimal")
    if field.kind in {"digits", "hex"}:
        return piece.hex().upper()
    if field.kind == "text":
        return piece.decode("ascii", "replace").rstrip("\0 ")
    if field.kind == "temperature":
        return number + offset
    return number / 10**field.decimals if field.decimals else number


def _encode(field: Field, value: Any, offset: int) -> bytes:  # noqa: ANN401  # as above
    if value is None:
        return bytes(field.size)
    try:
        if isinstance(value, Stamp):
            return stamp_to_bcd(value)
        if field.kind == "digits":
            return to_bcd(int(value), field.size)
        if field.kind == "hex":
            return bytes.fromhex(str(value).rjust(2 * field.size, "0"))
        if field.kind == "text":
            return str(value).encode("ascii")[: field.size].ljust(field.size, b"\0")
        raw = round(value - offset if field.kind == "temperature" else value * 10**field.decimals)
        return int(raw).to_bytes(field.size, "little")
    except (ValueError, OverflowError) as error:
        raise Dc589Error(Step.SANITY, f"{field.name} {value!r} does not fit: {error}") from error
