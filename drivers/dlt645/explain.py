"""What a DL/T 645 frame says, for people: `tocsin decode dlt645`. Pure."""

from __future__ import annotations

from typing import Any, Final

from drivers.cutter import Step
from drivers.dlt645.frame import (
    ADDRESS,
    ERRORS,
    FUNCTIONS,
    NEXT,
    NEXT_1997,
    READ,
    READ_1997,
    RELAY,
    WRITE,
    WRITE_1997,
    Dlt645Error,
    Edition,
    Frame,
    decode_frame,
)
from drivers.dlt645.identifiers import decode_values, is_block, quantity
from drivers.dlt645.relay import decode_relay_order

_SECRET: Final = frozenset({0x0F, 0x10, 0x18, 0x19, 0x1A, 0x1B})
"""Orders that carry a password, which is never shown."""
_WITH_DI: Final = frozenset({READ, READ_1997, NEXT, NEXT_1997, WRITE, WRITE_1997})


def explain(data: bytes) -> dict[str, Any]:
    """Return the fields of one frame. Raises Dlt645Error with what is wrong."""
    frame = decode_frame(data)
    fields: dict[str, Any] = {
        "address": frame.address,
        "control": frame.control,
        "function": FUNCTIONS.get(frame.function, "unknown"),
        "edition": frame.edition.value,
        "reply": frame.reply,
        "more": frame.more,
        "error": frame.error,
        "di": None,
        "value": None,
        "unit": None,
    }
    if frame.refused:
        return {**fields, "errors": _errors(frame)}
    if frame.function in _WITH_DI and frame.data:
        return {**fields, **_identified(frame)}
    if frame.function == ADDRESS and frame.reply and len(frame.data) == 6:
        return {**fields, "meter": frame.data[::-1].hex().upper()}
    if frame.control == RELAY:
        return {**fields, **_relay(frame)}
    if frame.function in _SECRET:
        return fields
    return {**fields, "data": frame.data.hex(" ").upper()}


def _relay(frame: Frame) -> dict[str, Any]:
    try:
        order = decode_relay_order(frame)
    except Dlt645Error:  # encrypted for a State Grid meter, or of a layout we do not know
        return {"relay": None, "expires": None}
    return {"relay": order.relay.name.lower(), "expires": order.expires.iso()}


def _errors(frame: Frame) -> list[str]:
    byte = frame.error
    if byte is None or frame.edition is Edition.Y1997:  # whose bits mean something else
        return []
    return [word for bit, word in enumerate(ERRORS) if byte >> bit & 1]


def _identified(frame: Frame) -> dict[str, Any]:
    width = 2 if frame.edition is Edition.Y1997 else 4
    if len(frame.data) < width:
        if frame.reply:  # a write is confirmed without data
            return {"data": frame.data.hex(" ").upper()}
        raise Dlt645Error(Step.LENGTH, f"an identifier has {width} bytes, there are {len(frame.data)}")
    di = int.from_bytes(frame.data[:width], "little")
    how = quantity(di, frame.edition)
    fields: dict[str, Any] = {"di": f"{di:0{2 * width}X}", "name": how.name if how else None}
    rest = frame.data[width:]
    if frame.function == NEXT and rest:  # the 1997 edition does not count
        fields["sequence"], rest = rest[-1], rest[:-1]
    if not frame.reply and frame.function in {WRITE, WRITE_1997}:
        rest = rest[8:] if frame.function == WRITE else b""  # behind password and operator
    if how is not None:
        fields["unit"] = how.unit
    if not rest:
        return fields
    if how is None or frame.more or frame.function in {NEXT, NEXT_1997}:  # a piece: items may be cut in two
        return {**fields, "data": rest.hex(" ").upper()}
    values = decode_values(di, rest, frame.edition)
    if is_block(di, frame.edition):
        return {**fields, "values": values}
    return {**fields, "text" if isinstance(values[0], str) else "value": values[0]}
