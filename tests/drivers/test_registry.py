"""The registry: every protocol is known by name, and only those that are spoken are loaded."""

from __future__ import annotations

import json
import subprocess
import sys

from drivers.registry import FAMILIES, PROTOCOLS

LOOK = """
import json, sys
from drivers.registry import FAMILIES, PROTOCOLS
known = [*PROTOCOLS, *FAMILIES], "dlt645" in PROTOCOLS, "tilt77" in FAMILIES, PROTOCOLS["modbus-tcp"]
print(json.dumps(sorted(name for name in sys.modules if name.startswith("drivers."))))
"""
OTHERS = ("dlt645", "tilt", "gpio", "witmotion", "dc589", "dny", "gst9000", "heard")


def test_every_protocol_can_be_loaded_and_its_family_is_known() -> None:
    assert {entry.family.name for entry in PROTOCOLS.values()} == set(FAMILIES)
    assert all(family.name == name for name, family in FAMILIES.items())


def test_a_protocol_that_nobody_speaks_is_not_loaded() -> None:
    out = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, check=True, text=True).stdout
    loaded = json.loads(out)
    assert "drivers.modbus.protocol" in loaded
    assert [name for name in loaded if name.split(".")[1].startswith(OTHERS)] == []
