"""The figures and the head of the audit on their way out: status, health topic, database; and after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clock import FakeClock
from small_gateway import Running, write_site

from gateway import app, telemetry
from gateway.config import load
from gateway.store import Store

if TYPE_CHECKING:
    from pathlib import Path

COUNTED = ("annunciated_day", "peak_10min", "fleeting", "ack_p50", "false_share")


def raise_and_close(running: Running) -> None:
    running.play("box-1", "lel", 40.0)
    row = running.wait(running.alarm)
    assert row is not None
    path = "/alarms/box-1/lel-high"
    running.daemon.post(
        f"{path}/ack", {"occurrence": row["occurrence"], "seen": 1, "actor": "", "comment": "seen"}
    )
    running.daemon.post(f"{path}/close", {"disposition": "false", "comment": "cooking"})
    running.play("box-1", "lel", 5.0)
    running.wait(lambda: running.alarm() is None)


def counted(running: Running) -> dict[str, Any]:
    kpi = running.daemon.get("/kpi")
    return {name: kpi[name] for name in COUNTED}


def test_figures_after_a_restart_are_those_before_it(tmp_path: Path) -> None:
    with Running(tmp_path) as running:
        raise_and_close(running)
        before = counted(running)
        head = running.daemon.get("/status")["audit"]
    assert (before["annunciated_day"], before["false_share"]) == (1, 1.0)
    with Running(tmp_path) as running:
        assert counted(running) == before
        after = running.daemon.get("/status")["audit"]
        assert after["n"] >= head["n"]
        assert running.daemon.get(f"/audit/proof?head={head['n']}:{head['hash']}")["whole"]


async def test_the_database_has_the_figures_always_and_the_head_of_the_audit_once_a_day(
    tmp_path: Path,
) -> None:
    site, clock = load(write_site(tmp_path)), FakeClock()
    store = await Store.open(site.data, clock)
    try:
        gateway = await app.build(site, clock, store)
        await store.commit_alarms([], [], deeds=[b'{"type":"deed"}'])
        found = [dict(gateway.health._gateway(gateway.host.last, clock.now(), None).values) for _ in range(2)]
        n, digest = store.health.audit
        assert (found[0]["audit_n"], found[0]["audit_head"]) == (n, digest)
        assert "audit_head" not in found[1]
        clock.advance(86400)
        sample = gateway.health._gateway(gateway.host.last, clock.now(), None)
        assert sample.values["audit_head"] == digest
        assert found[1]["kpi_annunciated_day"] == 0
        assert found[1]["kpi_flood"] is False
        line = telemetry.line(telemetry.GATEWAY_HEALTH, {}, sample.values, sample.at)
        assert telemetry.parse(line).fields["audit_head"] == digest
    finally:
        await store.close()


async def test_the_head_when_the_day_began_stays_while_the_day_lasts(tmp_path: Path) -> None:
    site, clock = load(write_site(tmp_path)), FakeClock()
    store = await Store.open(site.data, clock)
    try:
        gateway = await app.build(site, clock, store)
        await store.commit_alarms([], [], deeds=[b'{"type":"deed"}'])
        first = gateway.report.audit()
        await store.commit_alarms([], [], deeds=[b'{"type":"deed"}'])
        second = gateway.report.audit()
        assert (first["n"], second["n"]) == (2, 3)  # the first entry says which seal is this gateway's
        assert second["day"] == first["day"]
        clock.advance(86400)
        assert gateway.report.audit()["day"]["n"] == 3
    finally:
        await store.close()
