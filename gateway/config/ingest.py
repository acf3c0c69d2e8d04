"""Reads the settings of `tocsin ingest`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from gateway.config import document
from gateway.config.report import Report, describe
from gateway.config.settings import IngestSettings
from gateway.config.validate import Shape

if TYPE_CHECKING:
    import pathlib


@cache
def ingest_shape() -> Shape[IngestSettings]:
    """Return the form of the file."""
    return Shape(IngestSettings)


def load_ingest(path: pathlib.Path) -> IngestSettings:
    """Read the file. Raises ConfigError with every mistake in it."""
    report = Report()
    found = document.read(path, report)
    settings = None
    if found is not None and not isinstance(found.data, dict):
        report.at(
            found.file, 1, "", f"must be a block of keys (mqtt, influx ...), not {describe(found.data)}"
        )
    elif found is not None:
        context = {"base": path.parent, "demo": found.data.get("demo") is True}
        settings = ingest_shape().read(found.data, found, (), report, context=context)
    report.finish()
    if settings is None:  # nothing is refused without a reason
        raise AssertionError(f"{path}: refused without a message")
    return settings
