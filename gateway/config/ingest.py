"""Reads the settings of `tocsin ingest`."""

# ruff: noqa: TC001 - pydantic resolves these annotations when it runs

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gateway.config import document
from gateway.config.far import MqttSettings
from gateway.config.fields import FilePath, Filled, Name, Seconds, SecretRef, WebAddress, Whole
from gateway.config.report import Report, must_be
from gateway.config.validate import Shape
from gateway.language import say


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxSettings:
    """The database: the v2 write API (InfluxDB 2 and 3), or v1 `/write` (InfluxDB 1)."""

    url: WebAddress
    api: Literal["v2", "v1"] = "v2"
    org: str = ""  # v2
    bucket: str = ""  # v2
    token: SecretRef | None = None  # v2
    database: str = ""  # v1
    username: str | None = None  # v1
    password: SecretRef | None = None  # v1
    receipt_after: Seconds = 0.0  # wait so long after a write before it counts as kept

    def __post_init__(self) -> None:
        """Refuse keys of the other API, which would silently do nothing."""
        needed, foreign = (
            (("bucket",), ("database", "username", "password"))
            if self.api == "v2"
            else (("database",), ("org", "bucket", "token"))
        )
        if missing := [key for key in needed if not getattr(self, key)]:
            zh = f"api {self.api} 还需要 {'、'.join(missing)}"
            raise ValueError(say(zh, f"api {self.api} needs {', '.join(missing)}"))
        if surplus := [key for key in foreign if getattr(self, key)]:
            zh = f"api {self.api} 没有 {'、'.join(surplus)}"
            raise ValueError(say(zh, f"api {self.api} has no {', '.join(surplus)}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSettings:
    """Line protocol kept in a file, where there is no database."""

    path: FilePath


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestMqttSettings(MqttSettings):
    """The broker ingest takes from, and under which name."""

    share: Name = "ingest"  # workers of one share group divide the work
    client_id: Filled | None = None  # must stay the same for ever; None: made from the host name


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """What `tocsin ingest` is told by its operator."""

    mqtt: IngestMqttSettings
    influx: InfluxSettings | None = None
    archive: ArchiveSettings | None = None
    workers: Annotated[Whole, Field(ge=1, le=64)] = 1
    quarantine: FilePath = Path("/var/lib/tocsin-ingest/refused")
    demo: bool = False  # secrets may stand in the file

    def __post_init__(self) -> None:
        """Demand exactly one place to write to."""
        if (self.influx is None) == (self.archive is None):
            raise ValueError(say("influx 与 archive 必须且只能给出一个", "give either influx or archive"))


@cache
def ingest_shape() -> Shape[IngestSettings]:
    """Return the form of the file."""
    return Shape(IngestSettings)


def load_ingest(path: Path) -> IngestSettings:
    """Read the file. Raises ConfigError with every mistake in it."""
    report = Report()
    found = document.read(path, report)
    settings = None
    if found is not None and not isinstance(found.data, dict):
        zh, en = "一组键（mqtt、influx……）", "a block of keys (mqtt, influx ...)"
        report.at(found.file, 1, "", must_be(zh, en, found.data))
    elif found is not None:
        context = {"base": path.parent, "demo": found.data.get("demo") is True}
        settings = ingest_shape().read(found.data, found, (), report, context=context)
    report.finish()
    if settings is None:  # nothing is refused without a reason
        raise AssertionError(f"{path}: refused without a message")
    return settings
