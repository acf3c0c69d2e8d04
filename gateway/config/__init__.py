"""Settings: YAML 1.2 and CSV in, frozen dataclasses out, every mistake at once with its line.

The only user of pydantic. Nothing here opens a port or a secret. What is imported from here is loaded
when it is first asked for, because the daemon needs the dataclasses but not what checks them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.config.apart import load_apart
    from gateway.config.far import ConsoleSettings, FireCenterSettings, MqttSettings
    from gateway.config.ingest import (
        ArchiveSettings,
        InfluxSettings,
        IngestMqttSettings,
        IngestSettings,
        load_ingest,
    )
    from gateway.config.profiles import load_profile, profile_names
    from gateway.config.report import ConfigError
    from gateway.config.rule import rules_of
    from gateway.config.secrets import Secret, SecretError, reveal
    from gateway.config.settings import (
        Area,
        DeviceSettings,
        Ladder,
        Person,
        Place,
        Site,
        StoreSettings,
    )
    from gateway.config.site import load

__all__ = [
    "ArchiveSettings",
    "Area",
    "ConfigError",
    "ConsoleSettings",
    "DeviceSettings",
    "FireCenterSettings",
    "InfluxSettings",
    "IngestMqttSettings",
    "IngestSettings",
    "Ladder",
    "MqttSettings",
    "Person",
    "Place",
    "Secret",
    "SecretError",
    "Site",
    "StoreSettings",
    "load",
    "load_apart",
    "load_ingest",
    "load_profile",
    "profile_names",
    "reveal",
    "rules_of",
]

_HOMES = {
    "apart": ("load_apart",),
    "far": ("ConsoleSettings", "FireCenterSettings", "MqttSettings"),
    "ingest": ("ArchiveSettings", "InfluxSettings", "IngestMqttSettings", "IngestSettings", "load_ingest"),
    "profiles": ("load_profile", "profile_names"),
    "report": ("ConfigError",),
    "rule": ("rules_of",),
    "secrets": ("Secret", "SecretError", "reveal"),
    "settings": ("Area", "DeviceSettings", "Ladder", "Person", "Place", "Site", "StoreSettings"),
    "site": ("load",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import what is asked for from where it lives (PEP 562)."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = found
    return found
