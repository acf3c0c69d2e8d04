"""The verbs that work on alarms and devices, against a daemon behind a real socket: words, exit status, JSON, sheets."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from small_gateway import SITE, Running

from gateway.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COVER = SITE.replace(
    "store:", "  cover: {{profile: manhole/generic, line: plant, address: 4, every: 50ms, zone: b3}}\nstore:"
)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("TOCSIN_LANG", "en")
    with Running(tmp_path, COVER) as gateway:
        gateway.wait(lambda: gateway.gateway.pipeline.counts.samples > 5)
        monkeypatch.setenv("TOCSIN_SOCKET", str(gateway.socket))
        yield gateway


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a verb; return status, what was printed, what was complained of."""

    def run(*words: str) -> tuple[int, str, str]:
        status = main(words)
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def raised(running: Running) -> dict[str, Any]:
    running.play("box-1", "lel", 30.0)
    row = running.wait(lambda: (found := running.alarm()) and found["active"] and found)
    assert row
    return row


def test_an_alarm_from_its_horn_to_its_end(running: Running, say: Any) -> None:
    row = raised(running)
    assert say("alarms", "silence", "box-1/lel-high")[:2] == (
        0,
        "silenced, not acknowledged box-1/lel-high\n",
    )
    status, _, complaint = say("alarms", "shelve", "box-1/lel-high", "--for", "30m", "-m", "noise")
    assert status == 5
    assert "never shelved" in complaint
    status, _, complaint = say("alarms", "reset", "box-1/lel-high")
    assert (status, "still holds" in complaint) == (5, True)
    assert say("alarms", "close", "box-1/lel-high", "false", "-m", "=cooking")[0] == 0
    assert say("alarms", "ack", "box-1/lel-high", "--seen", "0")[0] == 6
    assert say("alarms", "ack", "box-1/lel-high", "-m", "seen")[0] == 0
    running.play("box-1", "lel", 5.0)
    running.wait(lambda: running.alarm() is None)
    status, out, _ = say("alarms", "history", "box-1", "-o", "json")
    assert status == 0
    assert [(o["occurrence"], o["disposition"]) for o in json.loads(out)] == [
        (row["occurrence"], "false: =cooking")
    ]
    assert "box-1/lel-high" in say("alarms", "history")[1]
    lines = list(csv.DictReader(io.StringIO(say("alarms", "export")[1])))
    assert lines[0]["occurrence"] == row["occurrence"]
    assert lines[0]["closed_utc"].endswith("Z")
    assert json.loads(say("alarms", "export", "--format", "jsonl")[1])["device"] == "box-1"
    assert say("alarms", "silence", "box-1/lel-high")[0] == 6
    assert say("alarms", "silence")[0] == 2
    assert say("alarms", "silence", "--all")[0] == 0


def test_what_a_person_typed_is_no_formula_in_a_sheet(running: Running, say: Any, tmp_path: Path) -> None:
    raised(running)
    say("alarms", "ack", "box-1/lel-high", "-m", "=HYPERLINK(1)")
    assert say("events", "export", "--out", str(tmp_path / "audit.csv"))[0] == 0
    text = (tmp_path / "audit.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    assert b",=HYPERLINK" not in text
    assert b"'=HYPERLINK" in text


def test_a_device_out_of_service_and_back(running: Running, say: Any) -> None:
    status, _, complaint = say("devices", "disable", "box-1", "--for", "1h", "-m", "painting")
    assert status == 5
    assert "a fire officer must approve it; request:" in complaint
    waiting = json.loads(say("devices", "requests", "-o", "json")[1])
    assert "painting" in say("devices", "requests")[1]
    assert say("devices", "approve", waiting[0]["request"])[0] == 5
    assert say("devices", "approve", "nonsense")[0] == 6
    assert say("devices", "disable", "cover", "--for", "eternity", "-m", "x")[0] == 2
    assert say("devices", "enable", "cover")[0] == 6


def test_a_device_out_of_service_does_not_look_well(running: Running, say: Any) -> None:
    assert json.loads(say("devices", "show", "cover", "-o", "json")[1])["out_of_service"] is None
    assert say("devices", "disable", "cover", "--for", "1h", "-m", "painting")[0] == 0
    assert "OUT OF SERVICE (" in say("devices", "show", "cover")[1]
    rows = {row["name"]: row["out_of_service"] for row in json.loads(say("devices", "list", "-o", "json")[1])}
    assert rows["box-1"] is None
    assert 3500 < rows["cover"] <= 3600
    assert say("devices", "enable", "cover")[0] == 0
    assert "OUT OF SERVICE" not in say("devices", "list")[1]


def test_who_is_found_on_a_network_line_has_no_rate(running: Running, say: Any) -> None:
    port = running.site.lines["plant"].tcp
    status, out, _ = say("scan", str(port), "--units", "1-2", "--budget", "5")
    assert (status, "unit 1" in out, "9600" in out) == (0, True, False)


def test_a_baseline_and_its_versions(running: Running, say: Any) -> None:
    running.play("cover", "tilt_x", 3.0)
    status, _, complaint = say("devices", "baseline", "cover")
    assert (status, "comment is required" in complaint) == (5, True)
    running.wait(
        lambda: say("devices", "baseline", "cover", "-m", "new frame", "--ref", "IMG_1")[0] == 0, 15.0
    )
    out = say("devices", "baseline", "cover", "--show")[1]
    assert "tilt_x 3" in out
    assert "new frame" in out
    status, said, _ = say("devices", "replaced", "cover", "-m", "broken", "--ref", "SN 7")
    assert (status, "asleep until there is a baseline" in said, "noted as replaced cover" in said) == (
        0,
        True,
        True,
    )
    assert "sensor replaced" in say("devices", "baseline", "cover", "--show")[1]
    assert say("devices", "replaced", "cover")[0] == 5
    assert say("devices", "baseline", "box-1", "-m", "x")[0] == 1


def test_a_drill_from_start_to_report(running: Running, say: Any) -> None:
    assert "no drill" in say("drill", "status")[1]
    assert say("drill", "report")[0] == 1
    assert say("drill", "start", "--scope", "all")[0] == 5
    assert say("drill", "start", "--scope", "nonsense", "-m", "x")[0] == 2
    assert say("drill", "start", "--scope", "all", "--kind", "exercise", "-m", "x")[0] == 5
    status, out, _ = say("drill", "start", "--scope", "all", "-m", "quarter")
    assert (status, out.startswith("[DRILL] walk test  all")) == (0, True)
    assert say("drill", "start", "--scope", "all", "-m", "again")[0] == 6
    assert say("drill", "announce", "box-1")[0] == 0
    entry = json.loads(say("events", "tail", "-n", "1", "-o", "json")[1])[0]["entry"]
    assert (entry["task"], entry["outcome"], entry["device"]) == ("announce", "done", "box-1")
    raised(running)
    running.wait(lambda: "✓ heard" in say("drill", "status")[1])
    assert "[DRILL]" in say("alarms", "list")[1]
    assert "drill" in say("status")[1]
    status, out, _ = say("drill", "stop")
    assert "heard 1 of 3" in out
    assert say("drill", "stop")[0] == 6
    lines = list(csv.DictReader(io.StringIO(say("drill", "report", "--format", "csv")[1])))
    assert {line["device"]: line["heard"] for line in lines} == {
        "box-1": "True",
        "box-2": "False",
        "cover": "False",
    }
    assert json.loads(say("drill", "report", "-o", "json")[1])["heard"] == 1
    assert "not tested" in say("drill", "report")[1]


def test_the_audit_is_shown_proved_and_exported_online_and_in_a_copy(
    running: Running, say: Any, tmp_path: Path
) -> None:
    raised(running)
    say("alarms", "ack", "box-1/lel-high", "-m", "seen")
    status, out, _ = say("events", "tail", "-n", "3")
    assert status == 0
    assert "ack done" in out
    entries = json.loads(say("events", "tail", "-o", "json")[1])
    assert [entry["n"] for entry in entries] == list(range(entries[0]["n"], entries[-1]["n"] + 1))
    status, out, _ = say("events", "verify")
    assert (status, out.startswith("✓")) == (0, True)
    head = json.loads(say("events", "verify", "-o", "json")[1])["head"]
    copy = tmp_path / "copy"
    shutil.copytree(
        running.site.data, copy, ignore=shutil.ignore_patterns("*-shm", "*.sock", "*.new", "telemetry-*")
    )
    assert say("events", "verify", "--data", str(copy), "--head", head)[0] == 0
    assert say("events", "tail", "--data", str(copy))[0] == 0
    lines = [json.loads(line) for line in say("events", "export", "--format", "jsonl")[1].splitlines()]
    assert f"{lines[-1]['n']}:{lines[-1]['hash']}" == head
    with closing(sqlite3.connect(copy / "alarms.db")) as db:
        db.execute("UPDATE records SET body = replace(CAST(body AS TEXT), '\"raise\"', '\"raisf\"')")
        db.commit()
    status, out, _ = say("events", "verify", "--data", str(copy))
    assert status == 4
    assert "✗ entry" in out
    assert say("events", "verify", "--data", str(tmp_path / "nowhere"))[0] == 1
    status, _, complaint = say("events", "verify", "--head", "1204:9f86d0...")
    assert (status, "wanted NUMBER:HASH, with all 64 hex digits" in complaint) == (2, True)
    assert say("events", "verify", "--data", str(copy), "--head", "x")[0] == 2


def test_an_export_is_sealed_proved_and_written_down(running: Running, say: Any, tmp_path: Path) -> None:
    raised(running)
    books, sheet = tmp_path / "books.jsonl", tmp_path / "alarms.csv"
    status, _, talk = say("events", "export", "--format", "jsonl", "--out", str(books))
    assert (status, "sealed" in talk) == (0, True)
    key = json.loads(say("status", "-o", "json")[1])["audit"]["key"]
    status, out, _ = say("events", "verify", "--file", str(books), "--key", key)
    assert (status, out.startswith("✓ as it was sealed"), key in out) == (0, True, True)
    entries = [line["entry"] for line in json.loads(say("events", "tail", "-o", "json")[1])]
    seal = json.loads((tmp_path / "books.jsonl.seal").read_text("utf-8"))
    taken = [e["sha256"] for e in entries if e.get("task") == "export"]
    assert taken == [seal["statement"]["sha256"]]
    assert {"type": "seal", "key": key} in entries
    assert say("alarms", "export", "--out", str(sheet))[0] == 0
    assert say("events", "verify", "--file", str(sheet), "--key", key)[0] == 0
    assert say("events", "verify", "--file", str(sheet), "--key", "00" * 32)[0] == 4
    sheet.write_bytes(sheet.read_bytes() + b"x")
    status, out, _ = say("events", "verify", "--file", str(sheet))
    assert (status, "the file is not the one that was sealed" in out) == (4, True)
    assert say("events", "verify", "--file", str(tmp_path / "nothing"))[0] == 1
    assert "not sealed" in say("events", "export")[2]


def test_the_seal_is_not_set_on_what_the_audit_does_not_say(running: Running, say: Any) -> None:
    raised(running)
    body = {"kind": "audit", "sha256": "00" * 32, "size": 1, "entries": 1, "last": f"1:{'00' * 32}"}
    status, said = running.ask("POST", "/api/v1/seal", json.dumps(body).encode())
    assert (status, said["reason"]) == (409, "not_the_audit")
    for wrong in ({"kind": "poem"}, {"sha256": "x"}, {"last": "x"}, {"size": -1}):
        assert running.ask("POST", "/api/v1/seal", json.dumps({**body, **wrong}).encode())[0] == 400


def test_an_exported_line_proves_its_own_hash(running: Running, say: Any) -> None:
    """The recipe of gateway/store/chain.py, by hand: anybody can check an export without us."""
    raised(running)
    running.wait(lambda: running.daemon.get("/audit"))
    lines = say("events", "export", "--format", "jsonl")[1].splitlines()
    before = bytes(32)
    for line in lines:
        body, _, digest = line.rpartition(',"hash":"')
        before = sha256(before + body.encode() + b"}").digest()
        assert before.hex() == digest.removesuffix('"}')
    assert len(lines) >= 1


def test_the_same_in_chinese(running: Running, say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    raised(running)
    assert "已消音" in say("alarms", "silence", "box-1/lel-high")[1]
    refused = say("alarms", "shelve", "box-1/lel-high", "--for", "30m", "-m", "吵")[2]
    assert refused == "tocsin alarms: 拒绝：生命安全告警不得搁置；只能经批准停用\n"
    asked = say("devices", "disable", "box-1", "--for", "1h", "-m", "刷漆")[2]
    assert "拒绝：须由消防负责人批准；申请：" in asked
    assert "完整无改动" in say("events", "verify")[1]
    assert "演练" in say("drill", "start", "--scope", "all", "-m", "季度")[1]
