"""Who may import whom, and which modules stay pure. The house rules of DESIGN.md section 1."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"gateway", "drivers", "rules"}
MAY_IMPORT = {
    "drivers": ("drivers", "gateway.model"),
    "rules": ("rules", "gateway.model"),
    "gateway": ("gateway", "drivers", "rules"),
}
IMPURE = {
    "asyncio",
    "socket",
    "time",
    "sqlite3",
    "os",
    "threading",
    "logging",
    "subprocess",
    "select",
    "signal",
}
PURE = [
    "gateway/model.py",
    "gateway/telemetry.py",
    "gateway/schedule.py",
    "gateway/links/encode.py",
    "gateway/links/custody.py",
    "gateway/links/outbox.py",
    "gateway/links/record.py",
    "drivers/profile.py",
    "drivers/points.py",
    "drivers/modbus/pdu.py",
    "drivers/modbus/framing.py",
    "drivers/modbus/plan.py",
    *(
        f"drivers/simulator/{name}.py"
        for name in ("persona", "player", "voices", "unit", "bus", "pair", "wire")
    ),
    *(
        f"drivers/simulator/{name}.py"
        for name in ("dialect", "image", "making", "memory", "modbus", "played", "carried", "dlt645", "tilt")
    ),
    *(
        f"drivers/simulator/{name}.py"
        for name in ("held", "witmotion", "dc589", "dny", "gst9000", "listening", "reports")
    ),
    *(f"drivers/{name}.py" for name in ("conversation", "ports", "modbus/report", "line/strangers")),
    *(f"drivers/simulator/{name}.py" for name in ("faults", "script", "stage")),
    "drivers/modbus/explain.py",
    "drivers/budget.py",
    "drivers/modbus/requests.py",
    "drivers/modbus/family.py",
    *(f"drivers/{name}.py" for name in ("family", "items", "point_checks")),
    "drivers/registers.py",
    "drivers/checks.py",
    *(p.relative_to(ROOT).as_posix() for p in (ROOT / "drivers/codec").glob("*.py")),
    *(f"drivers/{name}.py" for name in ("bcd", "cutter", "stamp")),
    *(
        p.relative_to(ROOT).as_posix()
        for folder in ("dc589", "dlt645", "dny", "gb26875", "gst9000", "tilt", "witmotion")
        for p in (ROOT / "drivers" / folder).glob("*.py")
        if p.name != "device.py"  # it waits for its line
    ),
    *(f"drivers/line/{name}.py" for name in ("owed", "timing", "dialect", "settings", "marked")),
    *(p.relative_to(ROOT).as_posix() for p in (ROOT / "drivers/survey").glob("*.py")),
    "drivers/modbus/orders.py",
    "drivers/write_checks.py",
    "drivers/modbus/reading.py",
    "gateway/liveness.py",
    "gateway/turns.py",
    "gateway/due.py",
    *(f"gateway/{name}.py" for name in ("kpi", "drills", "baselines", "occurrences")),
    "gateway/plot.py",
    "gateway/links/ranges.py",
    "gateway/links/patience.py",
    *(f"gateway/ingest/{name}.py" for name in ("lines", "events", "answers")),
    "gateway/links/live.py",
    "gateway/links/retained.py",
    "gateway/links/signed.py",
    "gateway/rate.py",
    "drivers/gpio/family.py",
]
ONLY_USER: dict[str, tuple[str, ...]] = {
    "pydantic": ("gateway/config",),
    "serial": ("drivers/line",),
    "paho": ("gateway/links/mqtt", "gateway/ingest", "gateway/demo"),
    "influxdb_client": ("gateway/ingest",),
    "sqlite3": ("gateway/store", "gateway/ingest"),
    "iotcore": ("gateway/demo",),
}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@functools.cache
def imports(path: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def within(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == a or name.startswith(a + ".") for a in allowed)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_it_may(folder: str) -> None:
    for path in modules(folder):
        for name in imports(path):
            if name.split(".")[0] in OURS and name != "gateway":
                assert within(name, MAY_IMPORT[folder]), f"{path.relative_to(ROOT)} imports {name}"


def test_the_model_imports_nothing_of_ours() -> None:
    assert not {n for n in imports(ROOT / "gateway/model.py") if n.split(".")[0] in OURS}


@pytest.mark.parametrize("path", [*map(ROOT.joinpath, PURE), *modules("rules")], ids=str)
def test_a_pure_module_stays_pure(path: Path) -> None:
    assert path.exists(), f"{path} is listed as pure but is not there"
    assert not {n.split(".")[0] for n in imports(path)} & IMPURE


@pytest.mark.parametrize("library", ONLY_USER)
def test_a_library_has_one_user(library: str) -> None:
    homes = ONLY_USER[library]
    for folder in OURS:
        for path in modules(folder):
            if library in {n.split(".")[0] for n in imports(path)}:
                place = path.relative_to(ROOT).as_posix()
                assert place.startswith(homes), f"{place} imports {library}"


def test_there_is_no_package_where_it_would_shadow_another() -> None:
    assert not [p for f in ("tests", "config", "systemd") for p in (ROOT / f).rglob("__init__.py")]
