"""Captures: frames of a device and the values that are true for them. `read` writes, `profiles` proves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from drivers.modbus.pdu import BIT_READS, READS, crc
from drivers.points import compile_block, compile_finish
from drivers.registers import Table
from gateway.commissioning.rows import replace_file
from gateway.config import document
from gateway.config.report import ConfigError, Report

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drivers.profile import Profile
    from gateway.model import Quality, Value

TABLES: Final = {1: Table.COIL, 2: Table.DISCRETE, 3: Table.HOLDING, 4: Table.INPUT}
CLOSE: Final = 1e-6


class CaptureError(ValueError):
    """A file that is no capture, or one of another profile."""


def decode(profile: Profile, request: bytes, answer: bytes) -> tuple[dict[str, Value], dict[str, Quality]]:
    """Return what a profile makes of one exchange of RTU frames. Raises CaptureError."""
    for name, frame in (("request", request), ("answer", answer)):
        if len(frame) < 5 or crc(frame[:-2]) != frame[-2:]:
            raise CaptureError(f"{name} {frame.hex(' ').upper()}: the checksum is wrong")
    function, start, count = (
        request[1],
        int.from_bytes(request[2:4], "big"),
        int.from_bytes(request[4:6], "big"),
    )
    if function not in READS or answer[:2] != request[:2]:
        raise CaptureError(f"answer {answer.hex(' ').upper()} does not belong to the request")
    size = (count + 7) // 8 if function in BIT_READS else 2 * count
    if len(answer) != 5 + size or answer[2] != size:
        raise CaptureError(f"answer {answer.hex(' ').upper()}: {size} bytes of data were asked for")
    table = TABLES[function]
    points = {
        name: point
        for name, point in profile.points.items()
        if point.readable
        and point.register
        and point.table is table
        and start <= point.address <= start + count - point.count
    }
    values, bad = compile_block(points, start, count, table).decode(answer[3:-2])
    if (finish := compile_finish(profile)) is not None:
        finish(values, bad)
    return dict(values), dict(bad)


def entry(request: bytes, answer: bytes, values: Mapping[str, Value], bad: Mapping[str, Quality]) -> str:
    """Return one exchange as a capture holds it."""
    lines = [f"  - request: {request.hex(' ').upper()}", f"    answer: {answer.hex(' ').upper()}"]
    said = {name: round(value, 6) if isinstance(value, float) else value for name, value in values.items()}
    lines.append(f"    values: {_flow(said)}")
    if bad:
        lines.append(f"    bad: {_flow({name: str(quality) for name, quality in bad.items()})}")
    return "\n".join(lines) + "\n"


def _flow(mapping: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in mapping.items()) + "}"


def record(path: Path, profile: str, source: str, text: str) -> None:
    """Add an exchange to a capture, a new one if there is none. Raises CaptureError, OSError.

    What stands in the file already stays as it is; one of another profile is not touched.
    """
    if path.exists():
        before = path.read_text("utf-8")
        found = read(path)
        if found["profile"] != profile:
            raise CaptureError(f"{path} is a capture of {found['profile']}, not of {profile}: not touched")
        before += "" if before.endswith("\n") else "\n"
    else:
        said = json.dumps(source, ensure_ascii=False)
        before = f"profile: {profile}\nsource: {said}\ngenerated: false\nexchanges:\n"
    replace_file(path, (before + text).encode())


def read(path: Path) -> dict[str, Any]:
    """Return a capture. Raises CaptureError."""
    report = Report()
    found = document.read(path, report)
    data = None if found is None else found.data
    if not isinstance(data, dict) or not isinstance(data.get("exchanges"), list) or "profile" not in data:
        try:
            report.finish()
        except ConfigError as error:
            raise CaptureError(str(error)) from error
        raise CaptureError(f"{path}: profile, source and exchanges are wanted")
    return data


def prove(profile: Profile, path: Path) -> list[str]:
    """Return where a profile and a capture of it disagree; nothing: every value is as it stands there."""
    wrong: list[str] = []
    for number, exchange in enumerate(read(path)["exchanges"], start=1):
        try:
            frames = [bytes.fromhex(str(exchange[key])) for key in ("request", "answer")]
            values, bad = decode(profile, *frames)
        except (KeyError, TypeError, ValueError) as error:
            wrong.append(f"{path}: exchange {number}: {error}")
            continue
        wanted, wanted_bad = dict(exchange.get("values") or {}), dict(exchange.get("bad") or {})
        for name in dict.fromkeys([*wanted, *values, *wanted_bad, *bad]):
            here, there = values.get(name, bad.get(name)), wanted.get(name, wanted_bad.get(name))
            if not _same(here, there):
                wrong.append(f"{path}: exchange {number}: {name} is {here}, the capture says {there}")
    return wrong


def _same(here: object, there: object) -> bool:
    if isinstance(here, float) and isinstance(there, int | float):
        return abs(here - there) <= max(CLOSE * abs(here), 6e-4)
    return str(here) == str(there)
