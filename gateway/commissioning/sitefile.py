"""Writes the two files of a new site, as a person would: `site.yaml` and its ledger. Text in, text out."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Final

from gateway.language import say

if TYPE_CHECKING:
    from gateway.commissioning.answers import Answers, DeviceAnswer, LineAnswer

SITE: Final = "site.yaml"
LEDGER: Final = "devices.csv"
HEAD: Final = ("name", "profile", "line", "address", "every", "place")


def site_yaml(answers: Answers, data: str) -> str:
    """Return the text of the site file."""
    parts = [
        say(
            "# 由 tocsin setup 写成；每个选项见 config/site.example.yaml",
            "# written by `tocsin setup`; every option: config/site.example.yaml",
        ),
        f"site: {answers.site}",
        f"gateway: {answers.gateway}",
        f"name: {_text(answers.name)}",
        f"timezone: {answers.timezone}",
        f"data: {_text(data)}",
        "",
        "lines:",
        *(_line(line) for line in answers.lines),
    ]
    mapped = [device for device in answers.devices if device.map]
    if mapped:
        parts += ["", "devices:", *(part for device in mapped for part in _device(device))]
    if any(not device.map for device in answers.devices):
        parts += ["", f"ledger: {LEDGER}"]
    if answers.broker:
        parts += ["", "mqtt:", f"  url: {_text(answers.broker)}"]
        if answers.username:
            parts.append(f"  username: {_text(answers.username)}")
        if answers.password_file:
            parts.append(f"  password: {{file: {_text(answers.password_file)}}}")
    return "\n".join(parts) + "\n"


def ledger_csv(answers: Answers) -> str:
    """Return the text of the ledger: the devices that need nothing but a row."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    for device in answers.devices:
        if not device.map:
            writer.writerow([getattr(device, column) for column in HEAD])
    return out.getvalue()


def _line(line: LineAnswer) -> str:
    if ":" in line.port and not line.port.startswith("/"):
        return f"  {line.name}: {{tcp: {_text(line.port)}, protocol: {line.protocol}}}"
    more = "" if line.parity == "none" else f", parity: {line.parity}"
    more += "" if line.stop == 1 else f", stop: {line.stop}"
    more += ", echo: true" if line.echo else ""
    return (
        f"  {line.name}: {{serial: {_text(line.port)}, baud: {line.baud}{more}, protocol: {line.protocol}}}"
    )


def _device(device: DeviceAnswer) -> list[str]:
    short = device.address.isdecimal() and len(device.address) < 4
    lines = [
        f"  {device.name}:",
        f"    profile: {device.profile}",
        f"    line: {device.line}",
        f"    address: {device.address if short else _text(device.address)}",
    ]
    if device.every:
        lines.append(f"    every: {device.every}")
    if device.place:
        lines.append(f"    place: {{text: {_text(device.place)}}}")
    fields = ", ".join(f"{point}: {{{_fields(changes)}}}" for point, changes in device.map.items())
    return [*lines, f"    map: {{{fields}}}"]


def _fields(changes: dict[str, float]) -> str:
    return ", ".join(f"{key}: {value:g}" for key, value in changes.items())


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
