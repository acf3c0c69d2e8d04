"""What a GB/T 26875.3 frame says, for people: `tocsin decode gb26875`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drivers.gb26875.codes import (
    ANALOGS,
    DEEDS,
    OUR_ANALOGS,
    OUR_PARTS,
    PARTS,
    STATES,
    SYSTEMS,
    deed_words,
    state_words,
)
from drivers.gb26875.frame import HEARTBEAT_ANSWER, Command, decode_frame
from drivers.gb26875.unit import Item, Unit, decode_unit, note_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.gb26875.codes import Analog


def explain(data: bytes) -> dict[str, Any]:
    """Return the fields of one frame. Raises Gb26875Error with what is wrong."""
    frame = decode_frame(data)
    fields: dict[str, Any] = {
        "sequence": frame.sequence,
        "version": f"{frame.version[0]}.{frame.version[1]}",
        "time": frame.time.iso(),
        "source": frame.source,
        "destination": frame.destination,
        "command": frame.command,
        "meaning": Command(frame.command).name.lower() if frame.command in set(Command) else "unknown",
        "type": None,
        "objects": [],
    }
    if frame.heartbeat:
        return {**fields, "meaning": f"heartbeat {frame.heartbeat}"}
    if not frame.data:
        return fields
    if frame.command == Command.CONFIRM and frame.data in HEARTBEAT_ANSWER.values():
        return {**fields, "meaning": "heartbeat B confirmed"}
    unit = decode_unit(frame.data)
    fields["type"] = unit.type
    if unit.raw:
        fields["data"] = unit.raw.hex(" ").upper()
    return {**fields, "objects": explain_unit(unit)}


def explain_unit(unit: Unit, analogs: Mapping[int, Analog] | None = None) -> list[dict[str, Any]]:
    """Return the fields of each object; `analogs` are the centre's own kinds of analog values."""
    own = OUR_ANALOGS if analogs is None else analogs
    return [_object(unit.type, item, {**ANALOGS, **own}) for item in unit.items]


def _object(kind: int, item: Item, analogs: Mapping[int, Analog]) -> dict[str, Any]:
    fields: dict[str, Any] = {**_place(item), **_bits(kind, item)}
    if item.analog_type is not None and item.value is not None:
        fields |= _analog(item.analog_type, item.value, analogs)
    for plain in ("operator", "count", "minutes"):
        if (number := getattr(item, plain)) is not None:
            fields[plain] = number
    if item.major is not None:
        fields["version"] = f"{item.major}.{item.minor}"
    if item.note is not None:
        fields["note"] = note_text(item.note)
    if item.time is not None:
        fields["time"] = item.time.iso()
    return fields


def _place(item: Item) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if item.system_type is not None:
        fields["system_type"] = item.system_type
        fields["system_address"] = item.system_address
        if name := SYSTEMS.get(item.system_type):
            fields["system"] = name._asdict()
    if item.part_type is not None:
        fields["part_type"] = item.part_type
        if name := {**OUR_PARTS, **PARTS}.get(item.part_type):
            fields["part"] = name._asdict()
    if item.part_address is not None:
        fields["part_address"] = item.part_address.hex().upper()
        fields["zone"] = int.from_bytes(item.part_address[:2], "little")
        fields["position"] = int.from_bytes(item.part_address[2:], "little")
    return fields


def _bits(kind: int, item: Item) -> dict[str, Any]:
    if item.state is not None and kind in STATES:
        return {"state": state_words(kind, item.state), "state_bits": item.state}
    if item.flags is not None and kind in DEEDS:
        return {"deeds": deed_words(kind, item.flags)}
    return {}


def _analog(code: int, raw: int, analogs: Mapping[int, Analog]) -> dict[str, Any]:
    how = analogs.get(code)
    if how is None:
        return {"analog_type": code, "value": raw, "unit": None}
    value = raw / 10**how.decimals if how.decimals else raw
    return {"analog_type": code, "analog": {"zh": how.zh, "en": how.en}, "value": value, "unit": how.unit}
