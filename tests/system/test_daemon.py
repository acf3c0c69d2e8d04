"""The daemon as a process: a drama becomes an alarm, an acknowledgement survives SIGTERM and kill -9."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from daemons import ENV, TOCSIN, running, simulated, tocsin, wait
from disks import fill, remount
from small_gateway import SITE, write_site

from gateway.cli import main

if TYPE_CHECKING:
    from gateway.cli.client import Daemon

ROOT = Path(__file__).parents[2]


def verb(*argv: str) -> int:
    """Run a verb in this process: the status it would end with."""
    try:
        return main(argv)
    except SystemExit as ended:  # argparse
        return int(ended.code or 0)


def only(daemon: Daemon, device: str = "box-1") -> dict[str, Any] | None:
    rows: list[dict[str, Any]] = daemon.get("/alarms")
    return next((row for row in rows if row["device"] == device and row["rule"] == "lel-high"), None)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_acknowledged_alarm_survives_the_end_and_nothing_is_announced_again(
    tmp_path: Path, number: signal.Signals
) -> None:
    site = write_site(tmp_path)
    with simulated(site) as played:
        with running(site) as run:
            wait(lambda: run.daemon.get("/status")["data"]["good"] == 6)
            played.order("set box-1 lel 40")
            alarm = wait(lambda: only(run.daemon))
            listed = tocsin("alarms", "list", "-c", site)
            assert "[box-1/lel-high] methane 40 %LEL" in listed.stdout
            assert tocsin("alarms", "ack", "box-1/lel-high", "-c", site, "-m", "seen").returncode == 0
            assert tocsin("alarms", "ack", "box-1/nosuch", "-c", site).returncode == 1
            before = [e for e in run.daemon.get("/events") if e["rule"] == "lel-high"]
            assert [e["event"] for e in before] == ["ack", "raise"]
            ended = run.end(number)
            assert ended == (0 if number is signal.SIGTERM else -signal.SIGKILL)
        with running(site) as run:
            wait(lambda: run.daemon.get("/status")["data"]["good"] == 6)
            again = wait(lambda: only(run.daemon))
            assert (again["letter"], again["occurrence"]) == ("C", alarm["occurrence"])
            after = [e for e in run.daemon.get("/events") if e["rule"] == "lel-high"]
            assert after == before, "a restart announces nothing"
            assert run.daemon.get("/status")["epoch"] == 2
            played.order("set box-1 lel 5")
            wait(lambda: only(run.daemon) is None)
            assert run.end() == 0


@pytest.mark.slow
def test_every_verb_says_by_its_status_how_it_went(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = write_site(tmp_path)
    with simulated(site) as played, running(site) as run:
        wait(lambda: run.daemon.get("/status")["data"]["good"] == 6)
        played.order("set box-1 lel 40")
        wait(lambda: only(run.daemon))
        for wanted, *argv in (
            (0, "status"),
            (4, "status", "--check", "2"),
            (0, "status", "--check", "1"),
            (0, "devices", "list"),
            (0, "devices", "show", "box-1"),
            (0, "devices", "poll", "box-1"),
            (1, "devices", "show", "nosuch"),
            (1, "devices", "poll", "no/such"),
            (0, "alarms", "list"),
            (0, "alarms", "show", "box-1/lel-high"),
            (1, "alarms", "show", "box-2/lel-high"),
            (2, "alarms", "show", "box-1"),
            (6, "alarms", "ack", "box-1/lel-high", "--seen", "0"),
            (1, "watch", "nosuch*"),
            (0, "write", "box-1.limit", "12.5"),
            (5, "write", "box-2.limit", "12.5"),
            (5, "write", "box-1.limit", "61"),
            (1, "write", "box-1.nosuch", "1"),
            (2, "write", "box-1.limit", "1", "2"),
            (5, "write", "plant", "1", "-a", "1"),
            (0, "read", "plant", "-a", "1"),
            (1, "read", "plant", "-a", "9"),
            (2, "read", "nosuch", "-a", "1"),
            (2, "read", "plant", "-a", "999"),
            (0, "scan", "plant", "--units", "1-3"),
            (1, "scan", "plant", "--units", "8-9"),
            (2, "scan", "plant", "--units", "0-300"),
            (2, "nosuchverb"),
        ):  # fmt: skip
            assert verb(*argv, "-c", str(site)) == wanted, (argv, capsys.readouterr())
            if wanted in {0, 4}:
                capsys.readouterr()
                assert verb(*argv, "-c", str(site), "-o", "json") == wanted
                json.loads(capsys.readouterr().out)
        port = site.read_text("utf-8").split("127.0.0.1:")[1].split('"')[0]
        direct = tocsin("read", f"127.0.0.1:{port}", "-a", "1", "-n", "2", "-o", "json")
        assert json.loads(direct.stdout)["registers"] == [400, 80]
        second = tocsin("run", "-c", site)
        assert (second.returncode, "another gateway" in second.stderr) == (1, True)
        watching = subprocess.Popen([*TOCSIN, "watch", "-c", str(site)], env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        assert watching.stdout
        assert "box-1" in watching.stdout.readline()
        assert run.end() == 0
        _, talk = watching.communicate(timeout=10)
        assert (watching.returncode, "ended" in talk) == (3, True)
    assert tocsin("status", "-c", site).returncode == 3
    assert tocsin("read", "plant", "-a", "1", "-c", site).returncode == 1  # opens it itself; nobody is there


@pytest.mark.parametrize("tail", ["| head -1", "| head -c 5", "| true"])
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path, tail: str) -> None:
    command = f"set -o pipefail; {sys.executable} -m gateway.cli profiles list {tail}"
    done = subprocess.run(["bash", "-c", command], env=ENV, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SITE.replace("protocol: modbus-tcp", "protocol: modbus-tpc"), "modbus-tpc"),
        (SITE.replace("address: 1,", "addres: 1,"), "addres"),
        (SITE.split("devices:", maxsplit=1)[0] + "devices: {{}}\n", "there is no device"),
    ],
)
def test_a_wrong_site_ends_with_2_and_its_messages(tmp_path: Path, text: str, said: str) -> None:
    for argv in (("run",), ("status",)):
        done = tocsin(*argv, "-c", write_site(tmp_path, text))
        assert done.returncode == 2
        assert said in done.stderr
        assert "site.yaml:" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_data_folder_that_cannot_be_made_ends_with_1_and_the_reason(tmp_path: Path) -> None:
    done = tocsin("run", "-c", write_site(tmp_path, SITE.replace("{folder}/data", "/proc/nowhere")))
    assert (done.returncode, "/proc/nowhere" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("how", ["read-only", "full"])
def test_a_gateway_starts_on_a_disk_that_takes_nothing_and_knows_what_stood(
    tmp_path: Path, small_disk: Path, how: str
) -> None:
    site = write_site(tmp_path, SITE.replace("{folder}/data", str(small_disk / "data")))
    with simulated(site) as played:
        played.order("set box-1 lel 40")
        with running(site, tmp_path) as run:
            before = wait(lambda: only(run.daemon))
            assert run.end() == 0
        if how == "full":
            (small_disk / "data" / "reserve").unlink()
            fill(small_disk, 0)
        else:
            remount(small_disk, "ro")
        try:
            with running(site, tmp_path) as run:
                after = wait(lambda: only(run.daemon))
                assert after["occurrence"] == before["occurrence"], "a restart raises nothing again"
                played.order("set box-2 lel 41")
                wait(lambda: only(run.daemon, "box-2"))
                assert not run.daemon.get("/status")["store"]["alarms_durable"]
                wait(lambda: "alarms-in-memory" in {row["rule"] for row in run.daemon.get("/alarms")})
                assert run.end() == 0
        finally:
            remount(small_disk, "rw")


def test_a_site_named_by_a_relative_path_starts_again_and_again(tmp_path: Path) -> None:
    """As the README has it: `tocsin run -c site.yaml`, with a data folder that counts from the file."""
    write_site(tmp_path, SITE.replace("data: {folder}/data", "data: data"))
    socket = tmp_path / "data" / "api.sock"
    for _ in range(3):
        command = [*TOCSIN, "run", "-c", "site.yaml"]
        with subprocess.Popen(command, env=ENV | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as run:  # fmt: skip
            wait(lambda: socket.exists() or run.poll() is not None)
            assert run.poll() is None, run.stderr.read() if run.stderr else ""
            told = tocsin("rules", "lint", "-c", "site.yaml", "--history", cwd=tmp_path)
            assert "Error" not in told.stdout + told.stderr
            run.terminate()
            assert run.wait(15) == 0


@pytest.mark.parametrize(
    "text",
    [
        SITE.replace("\ndevices:", '\n  idle: {{tcp: "127.0.0.1:1", protocol: modbus-tcp}}\ndevices:'),
        SITE.replace(
            'tcp: "127.0.0.1:{port}", protocol: modbus-tcp', "serial: {folder}/nothing, protocol: modbus-rtu"
        ).replace("100ms", "5s"),
    ],
    ids=["a line without devices", "a line that does not open"],
)
def test_a_site_with_little_to_do_runs_and_ends(tmp_path: Path, text: str) -> None:
    with running(write_site(tmp_path, text)) as run:
        assert run.daemon.get("/status")["links"] == []
        assert run.end() == 0


def test_a_bug_in_one_task_ends_the_process(tmp_path: Path) -> None:
    code = """
import sys
from gateway.health import Health
from gateway.cli import main
async def run(self): raise ZeroDivisionError("a bug")
Health.run = run
sys.exit(main(sys.argv[1:]))
"""
    site = write_site(tmp_path)
    command = [sys.executable, "-c", code, "run", "-c", str(site)]
    done = subprocess.run(command, env=ENV, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError: a bug" in done.stderr
    assert tocsin("status", "-c", site).returncode == 3
