"""Surveys and listening through a running gateway: what is lent, what is refused, what is written down."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from playing import free_port
from small_gateway import SITE, Running, encode

from drivers.modbus import pdu
from drivers.survey.talk import Setting, Shot, Tongue
from gateway.cli.output import Failure
from gateway.commissioning.lines import DaemonBench, daemon_terms, listen_daemon
from rules.permissions import Ask, Person, Role, Task, judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERIAL = SITE.replace(
    'plant: {{tcp: "127.0.0.1:{port}", protocol: modbus-tcp, timeout: 200ms}}',
    "plant: {{serial: {folder}/pair, baud: 115200, protocol: modbus-rtu, timeout: 200ms}}",
)
OWN, OTHER = Setting(115200), Setting(38400)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("gw"), SERIAL) as gateway:
        gateway.wait(lambda: gateway.gateway.pipeline.counts.samples > 5)
        yield gateway


def shot(unit: int, patience: float = 0.05) -> Shot:
    return Shot(Tongue.MODBUS, pdu.read(unit, 3, 0, 1).rtu, patience)


def audit(running: Running) -> list[dict[str, Any]]:
    entries = running.ask("GET", "/api/v1/audit?limit=50")[1]
    return [entry.get("entry", entry) for entry in entries]


def test_the_line_says_how_it_may_be_used(running: Running) -> None:
    terms = daemon_terms(running.daemon, "plant", interrupt=False)
    assert (terms.own, terms.polled, terms.network) == (OWN, {"box-1": "1", "box-2": "2"}, False)
    assert not terms.modbus_only
    assert daemon_terms(running.daemon, "plant", interrupt=True).own is None


async def test_unknown_units_are_asked_between_the_polls(running: Running) -> None:
    bench = DaemonBench(running.daemon, "plant", interrupt=False)
    before = running.gateway.pipeline.counts.samples
    heard = await bench.ask(OWN, [shot(77), shot(78)])
    assert [each.data for each in heard] == [b"", b""]
    assert bench.held > 0
    running.wait(lambda: running.gateway.pipeline.counts.samples > before)


async def test_other_rates_need_the_word_interrupt(running: Running) -> None:
    with pytest.raises(Failure, match="--interrupt") as refused:
        await DaemonBench(running.daemon, "plant", interrupt=False).ask(OTHER, [shot(77)])
    assert refused.value.status == 6
    heard = await DaemonBench(running.daemon, "plant", interrupt=True).ask(OTHER, [shot(1)])
    assert heard[0].data  # a played line is set as its master is: unit 1 is there at every rate
    before = running.gateway.pipeline.counts.samples
    running.wait(lambda: running.gateway.pipeline.counts.samples > before + 2)


async def test_a_polled_device_is_not_asked_beside_its_polls(running: Running) -> None:
    with pytest.raises(Failure, match="is polled"):
        await DaemonBench(running.daemon, "plant", interrupt=False).ask(OWN, [shot(1)])


async def test_nothing_that_writes_gets_onto_the_wire(running: Running) -> None:
    before = running.simulation.report()["devices"]
    bench = DaemonBench(running.daemon, "plant", interrupt=True)
    with pytest.raises(Failure, match="only reads"):
        await bench.ask(OTHER, [Shot(Tongue.MODBUS, pdu.write_register(1, 20, 1).rtu, 0.1)])
    after = running.simulation.report()["devices"]
    assert [d["writes"] for d in after.values()] == [d["writes"] for d in before.values()]


async def test_every_access_stands_in_the_audit(running: Running) -> None:
    await DaemonBench(running.daemon, "plant", interrupt=False).ask(OWN, [shot(90), shot(91)])
    running.ask(
        "POST", "/api/v1/lines/plant/exchange", encode({"unit": 1, "function": 3, "address": 0, "count": 1})
    )
    text = json.dumps(audit(running))
    assert '"frames": 2' in text
    assert shot(90).frame.hex() in text
    assert '"what": "read"' in text


def test_listening_hears_both_sides_of_the_polls(running: Running) -> None:
    ways = {way for way, _, _ in listen_daemon(running.daemon, "plant", 1) if way}
    assert ways == {">>", "<<"}


def test_a_line_that_is_listened_to_lets_go_when_the_listener_leaves(running: Running) -> None:
    for _ in range(2):
        pieces = listen_daemon(running.daemon, "plant", 1)
        next(pieces)
        list(pieces)


@pytest.mark.parametrize("task", [Task.PROBE, Task.INTERRUPT])
@pytest.mark.parametrize("role", list(Role))
def test_who_may_survey_stands_in_the_one_table(task: Task, role: Role) -> None:
    may = {Task.PROBE: {Role.MAINTAINER, Role.ENGINEER}, Task.INTERRUPT: {Role.ENGINEER}}
    assert judge(Ask(task), Person("x", role)).allowed is (role in may[task])


def test_a_line_that_only_listens_is_asked_nothing(tmp_path: Path) -> None:
    port = free_port()
    site = SITE.replace("devices:", f'  yard: {{{{listen: "127.0.0.1:{port}", protocol: dc589}}}}\ndevices:')
    with Running(tmp_path, site) as heard:
        body = {"shots": [{"tongue": "modbus-rtu", "frame": shot(77).frame.hex(), "patience": 0.1}]}
        status, said = heard.ask("POST", "/api/v1/lines/yard/talk", encode(body))
        assert (status, "tocsin sniff" in said["error"]["en"]) == (409, True)
        read = {"unit": 1, "function": 3, "address": 0, "count": 1}
        assert heard.ask("POST", "/api/v1/lines/yard/exchange", encode(read))[0] == 409
