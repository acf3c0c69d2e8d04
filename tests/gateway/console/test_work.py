"""What people do to alarms and devices, over the socket: allowed, refused, in conflict, and all of it in the books."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from small_gateway import SITE, Running, encode

from gateway.config.settings import Person as Named
from gateway.console.peers import People
from rules.permissions import Person, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "/api/v1"
ACCOUNT = pwd.getpwuid(os.getuid()).pw_name
MANY = SITE.replace(
    "store:",
    """  yellow: {{profile: test/box, line: plant, address: 3, every: 100ms, zone: b3,
    rules: {{lel-high: {{off: "replaced"}}}}}}
  cover: {{profile: manhole/generic, line: plant, address: 4, every: 50ms, alarm_every: 50ms, zone: b3}}
store:""",
)
OTHER = pwd.getpwnam("nobody")
OFFICER = Person("zhao", Role.FIRE_OFFICER, "zhao")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path, MANY) as gateway:
        gateway.wait(lambda: gateway.gateway.pipeline.counts.samples > 5)
        yield gateway


def be(running: Running, role: Role) -> None:
    """Have this process's account be wang, of a role."""
    running.gateway.api.people._by_user[ACCOUNT] = ("wang", Named(user=ACCOUNT, role=role))


def post(running: Running, path: str, **body: Any) -> tuple[int, Any]:
    return running.ask("POST", API + path, encode(body))


def raised(running: Running, device: str = "box-1") -> dict[str, Any]:
    running.play(device, "lel", 30.0)

    def found() -> dict[str, Any] | None:
        row = running.alarm(device)
        return row if row is not None and row["active"] else None

    row = running.wait(found)
    assert row is not None
    return row


def deeds(running: Running) -> list[dict[str, Any]]:
    status, lines = running.ask("GET", f"{API}/audit?limit=1000")
    assert status == 200
    return [line["entry"] for line in lines if line["entry"].get("type") == "action"]


def ack(running: Running, row: dict[str, Any], **more: Any) -> tuple[int, Any]:
    seen = {"occurrence": row["occurrence"], "seen": row["activation"]}
    return post(running, f"/alarms/{row['device']}/{row['rule']}/ack", **seen, **more)


def test_the_kernel_says_who_asks_and_a_claimed_name_is_only_written_down(running: Running) -> None:
    assert running.ask("GET", f"{API}/me")[1] == {
        "name": ACCOUNT,
        "role": "engineer",
        "level": 3,
        "account": ACCOUNT,
    }
    be(running, Role.OPERATOR)
    assert running.ask("GET", f"{API}/me")[1]["name"] == "wang"
    assert ack(running, raised(running), actor="li", comment="seen")[0] == 200
    row = running.alarm()
    assert row is not None
    assert row["acked_by"] == f"li@{ACCOUNT}"
    assert deeds(running)[-1]["who"]["account"] == ACCOUNT


def test_an_operator_says_why_he_acknowledges_and_a_viewer_never_does(running: Running) -> None:
    row = raised(running)
    be(running, Role.VIEWER)
    status, said = ack(running, row, comment="hm")
    assert (status, said["reason"]) == (403, "role")
    be(running, Role.OPERATOR)
    status, said = ack(running, row)
    assert (status, said["reason"]) == (403, "comment")
    assert ack(running, row, comment="on my way")[0] == 200
    assert [(d["outcome"], d["why"]) for d in deeds(running)] == [
        ("refused", "role"),
        ("refused", "comment"),
        ("done", ""),
    ]
    done = deeds(running)[-1]
    assert (done["before"]["acked"], done["after"]["acked"]) == (False, True)
    assert done["occurrence"] == row["occurrence"]


def test_an_acknowledgement_of_what_has_changed_meanwhile_is_a_conflict_and_in_the_books(
    running: Running,
) -> None:
    row = raised(running)
    status, said = ack(running, {**row, "activation": 0})
    assert (status, said["reason"]) == (409, "stale")
    assert deeds(running)[-1]["why"] == "stale"


def test_silence_is_no_acknowledgement(running: Running) -> None:
    raised(running)
    assert post(running, "/alarms/box-1/lel-high/silence")[0] == 200
    row = running.alarm()
    assert row is not None
    assert (row["silenced"], row["acked"]) == (True, False)


def test_what_is_protected_is_not_shelved_and_what_is_not_is_for_a_while(running: Running) -> None:
    raised(running)
    status, said = post(running, "/alarms/box-1/lel-high/shelve", seconds=60, comment="noise")
    assert (status, said["reason"]) == (403, "protected")
    rule = next(
        a.key[1]
        for a in running.gateway.api.deeds._engine.alarms()
        if a.key[0] == "cover" and not a.protected
    )
    path = f"/alarms/cover/{rule}"
    assert post(running, f"{path}/shelve", seconds=60)[1]["reason"] == "comment"
    assert post(running, f"{path}/shelve", seconds=90_000, comment="x")[1]["reason"] == "duration"
    assert post(running, f"{path}/shelve", comment="x")[0] == 400
    assert post(running, f"{path}/shelve", seconds=60, comment="noise")[0] == 200
    row = running.alarm("cover", rule)
    assert row is not None
    assert row["letter"] == "G"
    assert post(running, f"{path}/unshelve")[0] == 200
    assert post(running, f"{path}/unshelve")[0] == 409


def test_a_disposition_is_one_of_a_few_words_and_stands_in_the_past(running: Running) -> None:
    row = raised(running)
    path = "/alarms/box-1/lel-high/close"
    assert post(running, path, disposition="who knows")[0] == 400
    assert post(running, path, disposition="false", comment="cooking")[0] == 200
    past = running.ask("GET", f"{API}/occurrences?device=box-1")[1]
    assert past[0]["occurrence"] == row["occurrence"]
    assert past[0]["disposition"] == "false: cooking"
    assert running.ask("GET", f"{API}/status")[1]["kpi"]["false_share"] == 1.0


def test_a_device_with_protected_alarms_is_disabled_by_two(running: Running) -> None:
    asked = {"seconds": 3600, "comment": "painting"}
    status, said = post(running, "/devices/box-1/disable", **asked)
    assert (status, said["reason"]) == (403, "second_person")
    waiting = running.ask("GET", f"{API}/requests")[1]
    assert [(w["device"], w["comment"]) for w in waiting] == [("box-1", "painting")]
    name = waiting[0]["request"]
    assert post(running, f"/requests/{name}/approve")[1]["reason"] in {"role", "same_person"}
    assert running.alarm() is None
    answer = running.do(running.gateway.api.deeds.approve(OFFICER, name))
    assert answer.outcome == "done"
    row = running.alarm()
    assert row is not None
    assert row["letter"] == "I"
    assert deeds(running)[-1]["second"]["name"] == "zhao"
    assert running.ask("GET", f"{API}/requests")[1] == []
    assert post(running, f"/requests/{name}/approve")[0] == 409
    assert post(running, "/devices/box-1/enable")[0] == 200
    assert running.alarm() is None
    assert post(running, "/devices/box-1/enable")[0] == 409


def test_a_device_without_is_disabled_by_one_but_not_by_an_operator(running: Running) -> None:
    be(running, Role.OPERATOR)
    assert post(running, "/devices/cover/disable", seconds=60, comment="road works")[1]["reason"] == "role"
    be(running, Role.MAINTAINER)
    assert (
        post(running, "/devices/cover/disable", seconds=8 * 86400, comment="road works")[1]["reason"]
        == "duration"
    )
    status, said = post(running, "/devices/cover/disable", seconds=86400, comment="road works")
    assert (status, said["outcome"]) == (200, "done")
    assert said["alarms"] > 2
    assert post(running, "/devices/nobody/disable", seconds=60, comment="x")[0] == 404


SHOT = {"tongue": "modbus-rtu", "frame": "4d03000000018a06", "patience": 0.1}


def test_writing_and_raw_looks_are_for_those_who_may_and_are_written_down(running: Running) -> None:
    order = {"id": "one", "point": "limit", "value": 20.0, "actor": "wang"}
    be(running, Role.MAINTAINER)
    assert post(running, "/devices/box-1/write", **order)[1]["reason"] == "role"
    asked = {"unit": 1, "function": 3, "address": 0, "count": 1}
    assert post(running, "/lines/plant/exchange", **asked)[0] == 200
    be(running, Role.VIEWER)
    assert post(running, "/lines/plant/exchange", **asked)[0] == 403
    assert post(running, "/lines/plant/talk", shots=[SHOT])[0] == 403
    assert post(running, "/devices/box-1/poll")[0] == 403
    be(running, Role.ENGINEER)
    assert post(running, "/devices/box-1/write", **order)[0] == 200
    written = [(d["task"], d["outcome"], d.get("value")) for d in deeds(running)]
    assert ("write", "refused", 20.0) in written
    assert written[-1] == ("write", "done", 20.0)


def test_a_drill_marks_its_alarms_ticks_off_who_was_heard_and_ends_with_real_ones(running: Running) -> None:
    status, said = post(running, "/drill/start", scope="line:plant", comment="quarter", seconds=600)
    assert status == 200, said
    assert said["running"]
    assert {line["device"] for line in said["detectors"]} == {"box-1", "box-2", "cover"}
    assert post(running, "/drill/start", scope="all", comment="again")[1]["reason"] == "drill_running"
    assert running.ask("GET", f"{API}/status")[1]["drill"]["scope"] == "line:plant"
    assert post(running, "/drill/announce", device="nobody")[0] == 404
    assert post(running, "/drill/announce", device="box-1")[0] == 200
    row = raised(running)
    assert row["test"]
    assert row["message"]["zh"].startswith("【演练】")
    events = running.ask("GET", f"{API}/events")[1]
    assert next(e for e in events if e["event"] == "raise")["status"] == "Test"
    assert next(e for e in events if e["event"] == "raise")["title"]["zh"].startswith("【演练】")
    running.wait(lambda: running.ask("GET", f"{API}/drill")[1]["heard"] == 1)
    lines = {line["device"]: line for line in running.ask("GET", f"{API}/drill")[1]["detectors"]}
    assert lines["box-1"]["response"] is not None
    assert not lines["box-2"]["heard"]
    status, said = post(running, "/drill/stop", comment="over")
    assert (status, said["running"], said["heard"]) == (200, False, 1)
    assert post(running, "/drill/stop")[1]["reason"] == "no_drill"
    now = running.alarm()
    assert now is not None
    assert not now["test"]  # the gas is still there: it is real now
    told = [
        (e["event"], e["status"])
        for e in reversed(running.ask("GET", f"{API}/events")[1])
        if e["device"] == "box-1"
    ]
    assert told[-1] == ("raise", "Actual")
    assert running.ask("GET", f"{API}/status")[1]["kpi"]["annunciated_day"] == 1  # the test does not count


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"scope": "line:plant"}, 403),
        ({"scope": "nonsense", "comment": "x"}, 400),
        ({"scope": "zone:none", "comment": "x"}, 404),
        ({"scope": "all", "comment": "x", "seconds": 9 * 3600}, 403),
        ({"scope": "all", "comment": "x", "kind": "exercise"}, 403),
    ],
)
def test_a_drill_that_may_not_be_is_refused(running: Running, body: dict[str, Any], status: int) -> None:
    assert post(running, "/drill/start", **body)[0] == status
    assert running.ask("GET", f"{API}/drill")[1] is None


def test_an_exercise_is_approved_by_a_fire_officer_and_told_as_one(running: Running) -> None:
    said = post(running, "/drill/start", scope="device:box-1", comment="yearly", kind="exercise")[1]
    assert said["reason"] == "second_person"
    name = running.ask("GET", f"{API}/requests")[1][0]["request"]
    assert running.do(running.gateway.api.deeds.approve(OFFICER, name)).outcome == "done"
    assert running.ask("GET", f"{API}/drill")[1]["approved_by"] == "zhao"
    raised(running)
    raised(running, "box-2")
    status = {
        e["device"]: e["status"] for e in running.ask("GET", f"{API}/events")[1] if e["event"] == "raise"
    }
    assert status == {"box-1": "Exercise", "box-2": "Actual"}


def still(running: Running, x: float, y: float) -> None:
    running.play("cover", "tilt_x", x)
    running.play("cover", "tilt_y", y)


def test_a_baseline_is_taken_from_still_samples_and_holds_in_the_running_engine(
    running: Running, tmp_path: Path
) -> None:
    still(running, 3.0, -2.0)
    path = "/devices/cover/baseline"
    assert post(running, path)[1]["reason"] == "comment"

    def taken() -> Any:
        status, said = post(running, path, comment="new frame", reference="IMG_1")
        assert status == 200 or said["reason"] in {"few_samples", "moving"}, said
        return said if status == 200 else None

    said = running.wait(taken, 15.0)
    assert said["baseline"] == pytest.approx({"tilt_x": 3.0, "tilt_y": -2.0}, abs=0.1)
    assert [(v["version"], v["by"], v["reference"]) for v in said["versions"]] == [(1, ACCOUNT, "IMG_1")]
    alarm = next(a for a in running.gateway.api.deeds._engine.alarms() if a.key == ("cover", "displaced"))
    assert alarm.spec.context.baseline == said["baseline"]
    last = deeds(running)[-1]
    assert (last["task"], last["baseline"]) == ("baseline", said["baseline"])
    assert "was" in last
    assert post(running, "/devices/box-1/baseline", comment="x")[0] == 404


def test_a_cover_that_moves_gets_no_baseline(running: Running) -> None:
    still(running, 0.0, 0.0)
    running.wait(lambda: post(running, "/devices/cover/baseline", comment="x")[0] == 200, 15.0)
    still(running, 5.0, 0.0)

    def refused() -> Any:
        status, said = post(running, "/devices/cover/baseline", comment="x")
        return said if status == 403 else None

    assert running.wait(refused)["reason"] == "moving"
    assert deeds(running)[-1]["why"] == "moving"


def test_what_was_decided_is_there_after_a_restart(tmp_path: Path) -> None:
    with Running(tmp_path, MANY) as running:
        still(running, 3.0, -2.0)
        running.wait(lambda: post(running, "/devices/cover/baseline", comment="x")[0] == 200, 15.0)
        baseline = running.ask("GET", f"{API}/devices/cover/baseline")[1]["baseline"]
        assert post(running, "/devices/cover/replaced")[1]["reason"] == "comment"
        status, said = post(running, "/devices/cover/replaced", comment="broken", reference="SN 7")
        assert (status, "displaced" in said["asleep"], said["alarms"] >= len(said["asleep"])) == (
            200,
            True,
            True,
        )
        last = deeds(running)[-1]
        assert (last["task"], last["reference"], last["outcome"]) == ("replaced", "SN 7", "done")
        post(running, "/drill/start", scope="device:box-1", comment="walk", kind="walk_test")
        raised(running)
        running.wait(lambda: running.ask("GET", f"{API}/drill")[1]["heard"] == 1)
    with Running(tmp_path, MANY) as running:
        assert running.ask("GET", f"{API}/devices/cover/baseline")[1]["baseline"] == baseline
        alarm = next(a for a in running.gateway.api.deeds._engine.alarms() if a.key == ("cover", "displaced"))
        assert alarm.spec.context.baseline == baseline
        running.wait(
            lambda: alarm.state.input == "bad"
        )  # still asleep: nobody took a baseline of the new one
        drill = running.ask("GET", f"{API}/drill")[1]
        assert (drill["running"], drill["heard"]) == (True, 1)
        proof = running.ask("GET", f"{API}/audit/proof")[1]
        assert proof["whole"]
        head = f"1:{'00' * 32}"
        assert not running.ask("GET", f"{API}/audit/proof?head={head}")[1]["whole"]
        assert running.ask("GET", f"{API}/audit/proof?head=x")[0] == 400


def test_roles_count_as_soon_as_one_is_given() -> None:
    nobody = People({"wang": Named(user="wang")})
    assert nobody.person(65533).role is Role.ENGINEER
    assert nobody.person(os.getuid()).role is Role.ENGINEER
    given = People({"li": Named(user="li", role=Role.OPERATOR)})
    assert given.person(65533).role is Role.VIEWER
    assert given.person(os.getuid()).role is Role.ENGINEER


ASK = """
import http.client, json, socket, sys
path, method, url, body = sys.argv[1:]
connection = http.client.HTTPConnection("localhost", timeout=10)
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect(path)
connection.request(method, url, body)
answer = connection.getresponse()
print(json.dumps([answer.status, json.loads(answer.read())]))
"""


def other(running: Running, method: str, path: str, **body: Any) -> tuple[int, Any]:
    """Ask as another account of this machine."""
    command = [
        "/usr/bin/env",
        "-i",
        "python3",
        "-c",
        ASK,
        str(running.socket),
        method,
        API + path,
        json.dumps(body),
    ]
    found = subprocess.run(
        command, user=OTHER.pw_uid, group=OTHER.pw_gid, capture_output=True, check=True, timeout=30
    )
    status, data = json.loads(found.stdout)
    return status, data


@pytest.mark.skipif(os.getuid() != 0, reason="takes two accounts: only root can be another one")
def test_two_accounts_of_this_machine_are_two_persons_and_a_third_only_looks() -> None:
    people = f"people:\n  wang: {{{{user: {ACCOUNT}, role: engineer}}}}\n"
    officer = people + f"  zhao: {{{{user: {OTHER.pw_name}, role: fire_officer}}}}\n"
    with tempfile.TemporaryDirectory() as room:  # pytest's own folders are closed to others
        folder = Path(room)
        folder.chmod(0o755)
        with Running(folder, MANY + people) as running:
            running.socket.chmod(0o666)
            assert other(running, "GET", "/me")[1]["role"] == "viewer"
            assert other(running, "POST", "/devices/cover/disable", seconds=60, comment="x")[0] == 403
            assert deeds(running)[-1]["who"]["account"] == OTHER.pw_name
        with Running(folder, MANY + officer) as running:
            running.socket.chmod(0o666)
            assert post(running, "/devices/box-1/disable", seconds=60, comment="x")[0] == 403
            name = running.ask("GET", f"{API}/requests")[1][0]["request"]
            assert other(running, "POST", f"/requests/{name}/approve")[0] == 200
            row = running.alarm()
            assert row is not None
            assert row["letter"] == "I"
            assert deeds(running)[-1]["second"]["name"] == "zhao"


def test_a_second_red_detector_in_a_walk_test_is_taken_for_real(tmp_path: Path) -> None:
    red = MANY.replace(
        "allow_writes: [limit]}}", "allow_writes: [limit], rules: {{lel-high: {{level: 1}}}}}}"
    )
    red = red.replace(
        "address: 2, every: 100ms}}", "address: 2, every: 100ms, rules: {{lel-high: {{level: 1}}}}}}"
    )
    with Running(tmp_path, red) as running:
        assert post(running, "/drill/start", scope="all", comment="walk")[0] == 200
        assert raised(running)["test"]
        raised(running, "box-2")
        row = running.wait(lambda: (found := running.alarm("box-2")) and not found["test"] and found)
        assert row
        assert row["level"] == 1
        first = running.alarm()
        assert first is not None
        assert first["test"]
        assert deeds(running)[-1]["who"]["role"] == "automation"
