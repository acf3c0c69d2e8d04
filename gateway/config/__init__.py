"""Settings: YAML 1.2 and CSV in, frozen dataclasses out, every mistake at once with its line.

The only user of pydantic. Nothing here opens a port or a secret.
"""

from gateway.config.fields import Secret
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
from gateway.config.secrets import SecretError, reveal
from gateway.config.settings import (
    Area,
    ConsoleSettings,
    DeviceSettings,
    FireCenterSettings,
    Ladder,
    MqttSettings,
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
    "load_ingest",
    "load_profile",
    "profile_names",
    "reveal",
    "rules_of",
]
