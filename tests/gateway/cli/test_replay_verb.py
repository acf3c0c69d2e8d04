"""`tocsin rules replay` and `rules lint`: on a table, on the files of a gateway that is off, on one that runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from journals import WALL, opened
from siteyaml import HEAD, write
from small_gateway import Running

from gateway import telemetry
from gateway.cli import main
from gateway.model import Sample

if TYPE_CHECKING:
    from pathlib import Path

NANO = 10**9
DEVICE = """\
data: data
devices:
  efd-1:
    profile: electrical_fire/generic
    line: plant
    address: 1
    place: {text: here}
    rules: {residual-high: {deadband: 0, on_delay: 0s, off_delay: 0s}}
  efd-2: {profile: electrical_fire/generic, line: plant, address: 2, place: {text: there}}
"""
MEANT = "residual-high: {deadband: 15, on_delay: 10s, off_delay: 60s}\n"
SPAN = ("--from", "2026-09-21T22:13:20+08:00", "--to", "2026-09-21T22:23:20+08:00")  # WALL and ten minutes


def table(folder: Path) -> Path:
    """A leakage that hovers at its limit for 400 s, then stands above it."""
    rows = [f"{i},{310 if i % 4 == 0 else 290},38" for i in range(400)] + [
        f"{i},330,38" for i in range(400, 500)
    ]
    return write(folder, "\n".join(["at,residual_current,cable_temperature", *rows]) + "\n", name="t.csv")


async def recorded(folder: Path) -> Path:
    """A site whose gateway recorded ten minutes of two devices."""
    site = write(folder, HEAD + DEVICE)
    async with opened(folder / "data") as store:
        for i in range(600):
            for name, value in (("efd-1", 310.0 if i % 4 == 0 else 290.0), ("efd-2", 120.0)):
                sample = Sample(
                    name, WALL + i * NANO, float(i), {"residual_current": value, "cable_temperature": 38.0}
                )
                store.add(telemetry.Encoder("electrical_fire", name).encode(sample).encode(), 1, sample.at)
    return site


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["rules", *words, "-o", "json"]) in {0, 4}
    return json.loads(capsys.readouterr().out)


def test_a_table_with_the_rules_of_a_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = write(tmp_path, "residual-high: {deadband: 0, on_delay: 0s, off_delay: 0s}\n", name="plain.yaml")
    words = "--csv", str(table(tmp_path)), "--profile", "electrical_fire/generic", "--rules", str(plain)
    found = asked(capsys, "replay", *words)
    assert found["fired"] == {"today": 1, "proposed": 101}
    assert found["samples"] == 500


async def test_the_files_of_a_gateway_that_is_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = await recorded(tmp_path)
    meant = write(tmp_path, MEANT, name="meant.yaml")
    found = asked(capsys, "replay", "-c", str(site), *SPAN, "--rules", str(meant))
    assert found["fired"] == {"today": 150, "proposed": 0}
    assert {r["device"] for r in found["rules"]} == {"efd-1", "efd-2"}
    assert found["samples"] == 1200


async def test_the_outcome_is_told_in_one_sentence_with_a_plot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await recorded(tmp_path)
    meant = write(tmp_path, MEANT, name="meant.yaml")
    monkeypatch.setenv("TOCSIN_LANG", "en")
    picture = tmp_path / "p.png"
    assert (
        main(["rules", "replay", "-c", str(site), *SPAN, "--rules", str(meant), "--plot", str(picture)]) == 0
    )
    out, err = capsys.readouterr()
    assert "would have fired 150 times, 0 with the proposed rules" in out
    assert "efd-1.residual_current (mA)" in out
    assert "only SVG" in err
    assert (tmp_path / "p.svg").read_text("utf-8").startswith("<svg")
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    main(["rules", "replay", "-c", str(site), *SPAN, "--device", "efd-1", "--rule", "residual-high"])
    assert "本应触发 150 次" in capsys.readouterr().out


async def test_rules_may_be_proposed_for_one_device_or_by_another_site_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = await recorded(tmp_path)
    one = write(tmp_path, "efd-2:\n  residual-high: {limit: 100, on_delay: 0s}\n", name="one.yaml")
    assert asked(capsys, "replay", "-c", str(site), *SPAN, "--rules", str(one))["fired"] == {
        "today": 150,
        "proposed": 151,
    }
    other = write(
        tmp_path,
        HEAD + DEVICE.replace("deadband: 0, on_delay: 0s", "deadband: 0, on_delay: 5s"),
        name="o.yaml",
    )
    assert asked(capsys, "replay", "-c", str(site), *SPAN, "--rules", str(other))["fired"]["proposed"] == 0


@pytest.mark.parametrize(
    "text",
    ["residual-hihg: {deadband: 15}\n", "residual-high: {deadbnad: 15}\n", "residual-high: 5\n", "[]\n"],
)
async def test_a_mistake_in_the_proposed_rules_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    site = await recorded(tmp_path)
    path = write(tmp_path, text, name="wrong.yaml")
    assert main(["rules", "replay", "-c", str(site), *SPAN, "--rules", str(path)]) == 2
    assert f"{path}:1:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ((), 2),
        (("--from", "yesterday"), 2),
        (("--from", "1h", "--to", "2h"), 2),
        (("--device", "nobody"), 2),
        (("--from", "2020-01-01", "--to", "2020-01-02"), 1),
    ],
)
async def test_what_cannot_be_replayed_is_refused(
    tmp_path: Path, words: tuple[str, ...], status: int
) -> None:
    site = await recorded(tmp_path)
    given = ["-c", str(site), *words] if words else []
    assert main(["rules", "replay", *given]) == status


def test_a_gateway_that_runs_is_asked_for_its_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Running(tmp_path) as gateway:
        gateway.play("box-1", "lel", 40.0)
        gateway.wait(gateway.alarm)

        def fired() -> int:
            words = ["-c", str(tmp_path / "site.yaml"), "--socket", str(gateway.socket), "--rule", "lel-high"]
            status = main(["rules", "replay", *words, "--from", "1m", "-o", "json"])
            out = capsys.readouterr().out
            return int(json.loads(out)["fired"]["today"]) if status == 0 else 0

        assert gateway.wait(fired) == 1


async def test_lint_says_what_to_do_and_exits_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = await recorded(tmp_path)
    assert main(["rules", "lint", "-c", str(site), "-o", "json"]) == 4
    found = json.loads(capsys.readouterr().out)
    assert {f["code"] for f in found} == {"no-deadband", "no-delay", "short-off-delay"}
    assert {f["device"] for f in found} == {"efd-1"}
    found = asked(capsys, "lint", "-c", str(site), "--history", *SPAN)
    assert "in-the-noise" in {f["code"] for f in found}


def test_lint_sees_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    device = "devices:\n  gas-1: {profile: gas/generic, line: plant, address: 1, rules: {stale: {off: spare part}, lel-high: {off: not used}}}\n"
    found = asked(capsys, "lint", "-c", str(write(tmp_path, HEAD + device)))
    assert sorted(f["code"] for f in found) == ["fault-off", "no-place", "no-stale", "protected-off"]


@pytest.mark.parametrize(
    "name", ["gas/generic", "electrical_fire/generic", "charging_pile/generic", "manhole/generic"]
)
def test_the_presets_of_the_house_have_nothing_to_be_found(name: str) -> None:
    assert main(["rules", "lint", "--profile", name]) == 0


def test_rules_that_look_at_other_rules_are_replayed_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = """\
warm: {point: cable_temperature, limit: 50, on_delay: 2s, level: 4}
leaky: {point: residual_current, limit: 200, on_delay: 2s, level: 4}
both: {type: evidence, of: [warm, leaky], k: 2, point: cable_temperature, level: 2}
""".replace("point: cable_temperature, level: 2", "level: 2")
    rows = [f"{i},{250 if i > 20 else 100},{60 if i > 10 else 40}" for i in range(60)]
    csv = write(tmp_path, "\n".join(["at,residual_current,cable_temperature", *rows]) + "\n", name="t.csv")
    words = (
        "--csv",
        str(csv),
        "--profile",
        "electrical_fire/generic",
        "--rules",
        str(write(tmp_path, rules, name="r.yaml")),
    )
    found = {rule["rule"]: rule["proposed"] for rule in asked(capsys, "replay", *words)["rules"]}
    assert found["both"]["fired"] == 1
