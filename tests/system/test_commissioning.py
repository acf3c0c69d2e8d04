"""What an installer does, as he does it: scan, sniff and setup as programs, on played lines."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from daemons import running
from playing import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

TOCSIN = [sys.executable, "-m", "gateway.cli"]
ENV = {**os.environ, "TOCSIN_LANG": "en", "TERM": "xterm"}
SITE = """\
site: bench
gateway: gw-01
name: Bench
timezone: Asia/Shanghai
data: {folder}/data
demo: true
lines:
  a: {{serial: {folder}/tty-a, baud: 9600, protocol: modbus-rtu}}
  b: {{serial: {folder}/tty-b, baud: 2400, protocol: modbus-rtu}}
  c: {{serial: {folder}/tty-c, baud: 19200, parity: even, protocol: modbus-rtu}}
  d: {{serial: {folder}/tty-d, baud: 115200, protocol: modbus-rtu}}
  e: {{serial: {folder}/tty-e, baud: 2400, parity: even, protocol: dlt645}}
  f: {{serial: {folder}/tty-f, baud: 9600, protocol: tilt77}}
devices:
  gas-1: {{profile: gas/oem-module, line: a, address: 17}}
  em-1: {{profile: electrical_fire/em100, line: a, address: 2}}
{more}
"""
TWELVE = """\
  pzem-1: {profile: meter/pzem-016, line: a, address: 31}
  cover-1: {profile: manhole/witmotion, line: a, address: 80}
  lift-1: {profile: lift/generic, line: a, address: 8}
  sdm-1: {profile: meter/sdm120, line: b, address: 1}
  rhu-1: {profile: electrical_fire/rhu, line: c, address: 5}
  dds-1: {profile: meter/ddsu666, line: d, address: 3}
  hp-1: {profile: manhole/witmotion-hp, line: d, address: 80}
  met-1: {profile: meter/dlt645-3p, line: e, address: "000000000161"}
  met-2: {profile: meter/dlt645-1p, line: e, address: "202400017709"}
  tilt-1: {profile: manhole/tilt77, line: f, address: 3}
"""
EXPECTED = {
    (17, 9600, "gas/oem-module"),
    (2, 9600, "electrical_fire/em100"),
    (31, 9600, "meter/pzem-016"),
    (80, 9600, "manhole/witmotion"),
    (8, 9600, "lift/generic"),
    (1, 2400, "meter/sdm120"),
    (5, 19200, "electrical_fire/rhu"),
    (3, 115200, "meter/ddsu666"),
    (80, 115200, "manhole/witmotion-hp"),
    ("000000000161", 2400, "meter/dlt645-3p"),
    ("202400017709", 2400, "meter/dlt645-1p"),
    ("3", 9600, "manhole/tilt77"),
}
OWN_LINE = ("  b:", "  c:", "  d:", "  e:", "  f:")


@contextlib.contextmanager
def bench(folder: Path, more: str = "", script: str = "") -> Iterator[Path]:
    """Play the site on one pair of wires; yield where the pair is."""
    site = folder / "bench.yaml"
    site.write_text(SITE.format(folder=folder, more=more), "utf-8")
    pair = folder / "pair"
    (folder / "script.yaml").write_text(f"- {{join: [a, b, c, d, e, f], serial: {pair}}}\n{script}", "utf-8")
    argv = [*TOCSIN, "simulate", "-c", str(site), "--script", str(folder / "script.yaml")]
    with subprocess.Popen(
        argv, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as played:
        try:
            assert played.stdout is not None
            assert "ready" in played.stdout.readline()
            yield pair
        finally:
            played.send_signal(signal.SIGTERM)
            played.communicate(timeout=20)


def tocsin(*argv: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TOCSIN, *argv], env=ENV, capture_output=True, text=True, timeout=timeout, check=False
    )


def test_a_scan_of_one_rate_finds_the_devices_of_that_rate_only(tmp_path: Path) -> None:
    with bench(tmp_path) as pair:
        done = tocsin(
            "scan", str(pair), "--baud", "9600", "--units", "1-20", "--protocols", "modbus-rtu", "-o", "json"
        )
        found = json.loads(done.stdout)["found"]
        assert {(f["address"], f["profile"]) for f in found} == {
            (2, "electrical_fire/em100"),
            (17, "gas/oem-module"),
        }


def test_sniff_listens_at_a_port_that_no_daemon_owns(tmp_path: Path) -> None:
    """A master asks unit 1 for two registers and is answered, ten times a second."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    said = bytes.fromhex("010300000002C40B 010304002A00039BFA")
    with subprocess.Popen(
        [*TOCSIN, "sniff", os.ttyname(theirs), "--baud", "9600", "--for", "3"],
        env=ENV, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as sniffing:  # fmt: skip
        while sniffing.poll() is None:
            os.write(ours, said[:8])
            time.sleep(0.03)
            os.write(ours, said[8:])
            time.sleep(0.07)
        assert sniffing.stdout is not None
        told = sniffing.stdout.read()
    os.close(ours)
    os.close(theirs)
    assert "Traceback" not in told
    assert sniffing.returncode == 0, told
    assert "modbus-rtu" in told


@pytest.mark.slow
def test_a_line_of_the_site_is_scanned_by_its_name_whatever_it_speaks(tmp_path: Path) -> None:
    with bench(tmp_path, TWELVE) as pair:
        site = tmp_path / "site.yaml"
        text = f"""\
site: bench
gateway: gw-02
timezone: Asia/Shanghai
data: {tmp_path}/data
lines:
  meters: {{serial: {pair}, baud: 2400, parity: even, protocol: dlt645}}
devices:
  met-1: {{profile: meter/dlt645-3p, line: meters, address: "000000000161"}}
"""
        site.write_text(text, "utf-8")
        scan = ["scan", "meters", "-c", str(site), "--protocols", "dlt645", "-o", "json"]
        done = tocsin(*scan, "--baud", "2400", "--parity", "even")
        assert {f["address"] for f in json.loads(done.stdout)["found"]} == {"000000000161", "202400017709"}
        with running(site):
            done = tocsin(*scan)
        assert done.returncode == 0, done.stderr
        data = json.loads(done.stdout)
        assert data["polled"] == {"met-1": "000000000161"}
        assert {f["address"] for f in data["found"]} == {"202400017709"}


@pytest.mark.slow
def test_a_scan_finds_twelve_devices_of_three_protocols_and_five_settings_on_one_pair_in_ninety_seconds(
    tmp_path: Path,
) -> None:
    with bench(tmp_path, TWELVE) as pair:
        began = time.monotonic()
        done = tocsin("scan", str(pair), "-o", "json")
        took = time.monotonic() - began
    data = json.loads(done.stdout)
    assert {(f["address"], f["baud"], f["profile"]) for f in data["found"]} == EXPECTED
    assert took < 90


GATEWAY = SITE.replace("tty-a", "pair")


@pytest.mark.slow
def test_sniff_names_two_devices_with_one_address_within_a_minute_while_the_gateway_polls(
    tmp_path: Path,
) -> None:
    with bench(tmp_path, script="- {at: 0s, device: em-1, fault: twin}\n") as pair:
        text = GATEWAY.format(folder=tmp_path, more="")
        own = "\n".join(line for line in text.splitlines() if not line.startswith(OWN_LINE))
        site = tmp_path / "site.yaml"
        site.write_text(own, "utf-8")
        with running(site):
            began = time.monotonic()
            with subprocess.Popen(
                [*TOCSIN, "sniff", "a", "-c", str(site), "--for", "60"],
                env=ENV,
                stdout=subprocess.PIPE,
                text=True,
            ) as listening:
                assert listening.stdout is not None
                said = ""  # it may say before that answers are broken, which is true as well
                for line in listening.stdout:
                    said += line
                    if "two devices" in line:
                        break
                took = time.monotonic() - began
                listening.send_signal(signal.SIGINT)
                listening.communicate(timeout=20)
        assert pair.name == "pair"
    assert "unit 2: two devices with one address" in said
    assert took < 60


class Person:
    """Somebody at a terminal of 48 columns: waits for words, types."""

    def __init__(self, argv: list[str], folder: Path, columns: int = 48) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(argv[0], argv, {**ENV, "PYTHONPATH": str(Path(__file__).parents[2])})
        import fcntl  # noqa: PLC0415

        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.text = ""
        self._seen = 0

    def sees(self, words: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not (found := re.search(words, self.text[self._seen :])):
            assert time.monotonic() < deadline, f"no {words!r} after:\n{self.text[-1500:]}"
            if select.select([self.fd], [], [], 0.5)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    raise AssertionError(f"it ended before {words!r}:\n{self.text[-1500:]}") from None
        self._seen += found.end()

    def types(self, text: str = "") -> None:
        os.write(self.fd, text.encode() + b"\r")

    def ends(self, seconds: float = 30) -> int:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):  # its end of the terminal is closed
                if select.select([self.fd], [], [], 0.05)[0]:
                    self.text += os.read(self.fd, 65536).decode(errors="replace")
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"it goes on:\n{self.text[-1500:]}")


@contextlib.contextmanager
def plant(folder: Path) -> Iterator[str]:
    """Play two devices behind a network end; yield where it is."""
    port = free_port()
    site = folder / "plant.yaml"
    text = SITE.format(folder=folder, more="")
    lines = [line for line in text.splitlines() if not line.startswith(OWN_LINE)]
    way = f'tcp: "127.0.0.1:{port}", protocol: modbus-tcp}}'
    site.write_text("\n".join(re.sub("serial: .*", way, line) for line in lines), "utf-8")
    argv = [*TOCSIN, "simulate", "-c", str(site)]
    with subprocess.Popen(
        argv, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as played:
        try:
            assert played.stdout is not None
            assert "ready" in played.stdout.readline()
            yield f"127.0.0.1:{port}"
        finally:
            played.send_signal(signal.SIGTERM)
            played.communicate(timeout=20)


@pytest.mark.parametrize("way", ["network", pytest.param("serial", marks=pytest.mark.slow)])
def test_setup_leads_from_nothing_to_a_running_gateway_in_five_minutes(tmp_path: Path, way: str) -> None:
    """In one run: stopped at a question and taken up again, two devices found, named, proven, running."""
    new = tmp_path / "new"
    began = time.monotonic()
    with plant(tmp_path) if way == "network" else bench(tmp_path) as port:
        argv = [*TOCSIN, "setup", str(new), "--port", str(port)]
        person = Person(argv, tmp_path)
        person.sees(r"Language \[2\]")
        person.types("2")
        person.sees("Code of the site")
        person.types("Not A Code")
        person.sees("small letters")
        person.types("lvjing")
        person.sees("Code of the gateway")
        os.write(person.fd, b"\x03")
        assert person.ends() == 130
        assert not (new / "site.yaml").exists()

        person = Person(argv, tmp_path)
        person.sees("Continue")
        person.types()
        for question, answer in (
            ("Code of the site", "lvjing"),
            ("Code of the gateway", ""),
            ("Its name", "绿景"),
            ("Time zone", ""),
            ("Which ones", ""),
        ):
            person.sees(question)
            person.types(answer)
        person.sees("Go on", 200)
        person.types()
        for name in ("a", "b"):
            person.sees("Model")
            person.types()
            person.sees("Name")
            person.types(f"unit-{name}")
            person.sees("Place")
            person.types("3号楼" if name == "a" else "")
        person.sees("MQTT broker")
        person.types()
        person.sees("2 of 2 devices were read", 60)
        person.sees("Choose")
        person.types("1")
        person.sees("ready site=lvjing", 60)
        status = tocsin("status", "-c", str(new / "site.yaml"), "-o", "json")
        assert json.loads(status.stdout)["data"]["good"] > 5
        assert time.monotonic() - began < 300
        os.write(person.fd, b"\x03")
        assert person.ends() == 0
    assert tocsin("check", "-c", str(new / "site.yaml")).returncode == 0
    assert not (new / ".setup.json").exists()
    assert "3号楼" in (new / "devices.csv").read_text("utf-8")
    before = (new / "site.yaml").read_text("utf-8")
    person = Person(argv, tmp_path)
    person.sees("is there already")
    person.types()
    assert person.ends() == 1
    assert (new / "site.yaml").read_text("utf-8") == before
