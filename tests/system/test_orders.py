"""Orders on a real wire: what is refused puts no byte on it, what is done is done once, and all is in the audit."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from servers import Mosquitto
from signed_order import Centre
from small_gateway import Running, encode

from gateway import app
from gateway.poller import Poller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

KEY = "0123456789abcdef0123456789abcdef"
OTHER = KEY[::-1]
SITE = """\
site: lvjing
gateway: gw-01
timezone: Asia/Shanghai
data: {folder}/data
demo: true
lines:
  plant: {{tcp: "127.0.0.1:{port}", protocol: modbus-tcp, timeout: 200ms}}
  bus: {{serial: {folder}/bus, baud: 115200, protocol: modbus-rtu, timeout: 1s}}
devices:
  gas-1: {{profile: gas/generic, line: plant, address: 1, every: 100ms}}
  valve-1: {{profile: contact/gas-valve, line: bus, address: 2, every: 1h, allow_writes: [valve]}}
  fan-1: {{profile: contact/relay, line: bus, address: 3, every: 1h}}
  siren-1: {{profile: contact/siren, line: plant, address: 4, every: 200ms, allow_writes: [siren]}}
interlocks:
  valve: {{when: [gas-1/lel-high-high], order: {{device: valve-1, point: valve, value: closed}}}}
orders:
  pause: 0s
  per_hour: 20
  signers:
    centre: {{key: KEY, role: engineer}}
    duty: {{key: OTHER, role: operator}}
mqtt: {{url: "BROKER", keepalive: 5s}}
store: {{telemetry: {{group: 200ms}}}}
"""


class Site(Running):
    """A gateway with outputs, at a broker. Nothing is polled on the pty `bus`: see `ready`."""

    def __init__(self, folder: Path, broker: str) -> None:
        text = SITE.replace("KEY", KEY).replace("OTHER", OTHER).replace("BROKER", broker)
        super().__init__(folder, text)

    @property
    def units(self) -> dict[str, Any]:
        return {name: self.simulation.stage.units[name] for name in ("valve-1", "fan-1", "siren-1")}

    def heard(self, device: str) -> tuple[int, int]:
        """How many requests a device has heard, and how many of them wrote."""
        counts = self.units[device].counts
        return counts.requests, counts.writes

    def bytes(self) -> int:
        """How many bytes the gateway has put on the pty."""
        sent: int = self.gateway.pollers["bus"][1].stats.bytes_out
        return sent

    def audit(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.daemon.get("/audit?limit=500")
        return [e["entry"] for e in entries if e["entry"].get("task") in {"write", "secure", "interlock"}]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("mqtt")) as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def no_receipts() -> Iterator[None]:
    """Nobody here gives receipts: a gateway that stops need not wait for any."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "DRAIN", 0.0)
        yield


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("long")
    with Site(folder, broker.url) as running:
        ready(running)
        yield running


def synced(site: Site, *, is_synced: bool) -> None:
    """Have the host say whether its clock is synchronised: the machine that runs the test has one or not."""
    seen = replace(site.gateway.host.last, clock_synced=is_synced)
    site.gateway.host.look = lambda: seen  # type: ignore[method-assign]  # as `gateway.host.Host.look`
    site.do(site.gateway.health.step())


def ready(site: Site) -> None:
    """Wait until it is at the broker, and take the polls off the pty: what is on it now is orders, or nothing."""
    synced(site, is_synced=True)
    site.wait(lambda: site.gateway.links[0].state().connected)
    bus = site.gateway.pollers["bus"][0]
    site.wait(lambda: bus.health().is_open)
    assert isinstance(bus, Poller)
    bus.schedule.take = lambda _now: None  # type: ignore[method-assign, assignment]  # no polls
    site.daemon.post("/devices/valve-1/poll", {})  # when this is answered, nothing is under way


@pytest.fixture
def centre(broker: Mosquitto) -> Iterator[Centre]:
    with Centre(broker.url, "centre", KEY.encode()) as found:
        yield found


def expired(order: dict[str, Any]) -> None:
    order["expires"] = time.time_ns() - 10**9


def too_long(order: dict[str, Any]) -> None:
    order["expires"] = time.time_ns() + 120 * 10**9


REFUSED: list[tuple[str, Callable[[dict[str, Any]], None], str, str]] = [
    (
        "outside the list of the site",
        lambda o: o.update(device="fan-1", point="relay", value="on"),
        "refused",
        "allow",
    ),
    ("a device nobody knows", lambda o: o.update(device="nosuch"), "unknown", "no device"),
    ("a point nobody knows", lambda o: o.update(point="nosuch"), "unknown", "no point"),
    ("a value that is none", lambda o: o.update(value="ajar"), "refused", "ajar"),
    ("expired", expired, "expired", "expired"),
    ("valid for too long", too_long, "refused", "at most"),
    ("of another gateway", lambda o: o.update(gateway="gw-02"), "refused", "foreign"),
    ("without an id", lambda o: o.update(id=""), "refused", "malformed"),
    ("of a value that is no number", lambda o: o.update(value=float("nan")), "refused", "not a number"),
]


def test_what_is_refused_puts_no_byte_on_the_wire_and_is_answered_and_written_down(
    site: Site, centre: Centre
) -> None:
    for what, change, outcome, reason in REFUSED:
        before, known = (site.bytes(), site.heard("valve-1"), site.heard("fan-1")), len(site.audit())
        order = centre.order("valve-1", "valve", "closed")
        change(order)
        answer = centre.send(order)
        assert (answer["outcome"], reason in answer["reason"]) == (outcome, True), (what, answer)
        assert (site.bytes(), site.heard("valve-1"), site.heard("fan-1")) == before, what
        (entry,) = site.audit()[known:]
        assert (entry["outcome"], entry["why"]) == (outcome, answer["reason"]), what


def test_what_is_not_signed_does_nothing(site: Site, centre: Centre, broker: Mosquitto) -> None:
    before, known = site.bytes(), len(site.audit())
    order = centre.order("valve-1", "valve", "closed")
    for payload in (json.dumps(order).encode(), centre.signed(order).replace(b"closed", b"opened")):
        answer = centre.say(payload)
        assert (answer["outcome"], answer["reason"]) == ("refused", "unsigned")
    with Centre(broker.url, "centre", b"x" * 32) as forger:
        assert forger.send(order)["reason"] == "unsigned"
    assert site.bytes() == before
    assert [entry["why"] for entry in site.audit()[known:]] == ["unsigned"] * 3


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Mosquitto, Centre]]:
    """A broker of its own: two gateways of one name at one broker take the connection from each other."""
    with Mosquitto(tmp_path / "mqtt") as broker, Centre(broker.url, "centre", KEY.encode()) as centre:
        yield broker, centre


def test_an_order_is_done_once_whoever_repeats_it_also_after_a_restart(
    tmp_path: Path, own: tuple[Mosquitto, Centre]
) -> None:
    broker, centre = own
    payload = centre.signed(centre.order("valve-1", "valve", "closed"))
    body = {"id": "local-1", "point": "valve", "value": "open", "actor": "w", "expires_in": 60}
    local = "POST", "/api/v1/devices/valve-1/write"
    with Site(tmp_path, broker.url) as site:
        ready(site)
        answer = centre.say(payload)
        assert (answer["outcome"], answer["value"]) == ("done", "closed")
        before = site.bytes()
        assert centre.say(payload)["reason"] == "replayed"
        assert site.bytes() == before
        first = site.ask(*local, encode(body))
        assert first == (200, {"outcome": "done", "value": "open"})
    with Site(tmp_path, broker.url) as site:
        ready(site)
        before = site.bytes()
        assert centre.say(payload)["reason"] == "replayed"
        assert site.audit()[-1]["who"]["name"] == "centre"
        assert site.ask(*local, encode(body)) == first
        assert site.ask(*local, encode({**body, "value": "closed"}))[0] == 409
        assert site.bytes() == before


def test_an_order_while_the_device_is_dead_is_answered_without_a_byte(site: Site, centre: Centre) -> None:
    site.wait(lambda: site.daemon.get("/devices/siren-1")["state"] == "live")
    site.do(site.simulation.fault("siren-1", "silent"))
    site.wait(lambda: site.daemon.get("/devices/siren-1")["state"] == "lost", 20)

    def quietly() -> bool:
        before = site.heard("siren-1")
        answer = centre.send(centre.order("siren-1", "siren", "on"))
        assert answer["outcome"] == "failed"
        assert "lost" in answer["reason"]
        assert site.audit()[-1]["why"] == answer["reason"]
        return site.heard("siren-1") == before  # else a probe was under way just then

    assert site.wait(quietly, 20)
    assert site.heard("siren-1")[1] == 0


def test_a_retained_order_is_ignored(tmp_path: Path, own: tuple[Mosquitto, Centre]) -> None:
    """At a broker that has never seen this gateway: it holds the order for whoever comes, however late."""
    broker, centre = own
    centre.leave(centre.signed(centre.order("valve-1", "valve", "closed")))
    with Site(tmp_path, broker.url) as site:
        ready(site)
        assert centre.say(b"{}")["reason"] == "unsigned"  # what was left there came before
        assert site.heard("valve-1")[1] == 0


def test_an_operator_may_close_a_valve_and_nobody_but_an_engineer_opens_it(
    site: Site, broker: Mosquitto
) -> None:
    with Centre(broker.url, "duty", OTHER.encode()) as duty:
        assert duty.send(duty.order("valve-1", "valve", "closed"))["outcome"] == "done"
        before = site.bytes()
        answer = duty.send(duty.order("valve-1", "valve", "open"))
        assert (answer["outcome"], answer["reason"]) == ("refused", "role")
        assert site.bytes() == before
        assert [e["task"] for e in site.audit()[-2:]] == ["secure", "write"]


def test_while_nobody_vouches_for_the_clock_only_orders_to_the_safe_side_are_taken(
    site: Site, centre: Centre
) -> None:
    synced(site, is_synced=False)
    try:
        before = site.bytes()
        answer = centre.send(centre.order("valve-1", "valve", "open"))
        assert (answer["outcome"], answer["reason"]) == ("refused", "clock")
        assert site.bytes() == before
        late = centre.order("valve-1", "valve", "closed") | {"expires": 1}
        assert centre.send(late)["outcome"] == "done", "its end cannot be judged"
    finally:
        synced(site, is_synced=True)


def test_too_many_orders_are_refused(site: Site, centre: Centre) -> None:
    site.gateway.api.commands._checks.rate._written.clear()
    outcomes = [centre.send(centre.order("valve-1", "valve", "closed"))["outcome"] for _ in range(20)]
    assert set(outcomes) == {"done"}
    before = site.bytes()
    answer = centre.send(centre.order("valve-1", "valve", "closed"))
    assert (answer["outcome"], answer["reason"]) == ("refused", "too_often")
    assert site.bytes() == before


def test_what_is_done_puts_its_bytes_on_the_wire(site: Site, centre: Centre) -> None:
    """The control of the counting: one request that writes, one that reads back, eight bytes each."""
    site.gateway.api.commands._checks.rate._written.clear()
    before, heard = site.bytes(), site.heard("valve-1")
    assert centre.send(centre.order("valve-1", "valve", "closed"))["outcome"] == "done"
    assert site.bytes() == before + 16
    assert site.heard("valve-1") == (heard[0] + 2, heard[1] + 1)
