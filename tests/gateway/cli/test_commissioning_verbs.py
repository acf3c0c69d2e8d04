"""`scan`, `sniff` and `read` against a daemon that plays a line: what people see, in both languages."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from typing import TYPE_CHECKING, Any

import pytest
from surveyed import Bench

from drivers.modbus import pdu
from drivers.simulator.making import make_unit
from drivers.survey.talk import Setting, Shot, Tongue
from gateway.cli import main
from gateway.commissioning.captures import read as read_capture
from gateway.config.profiles import load_profile

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN = Path(__file__).parent / "golden"
OWN = Setting(9600)
LINE: dict[str, Any] = {
    "line": "rs485-1",
    "protocol": "modbus-rtu",
    "serial": "/dev/ttyUSB0",
    "tcp": None,
    "listen": None,
}
LINE |= {"baud": 9600, "parity": "none", "stop": 1, "timeout": 0.3, "echo": False, "lends": True}
BLOCK = [0x08FD, 0x020B, 0x0000, 0x0484, 0x0000, 0xD4D2, 0x0001, 0x01F4, 0x0060, 0x0000]


def bench() -> Bench:
    units = [("gas/oem-module", 17), ("meter/pzem-016", 31)]
    made = [(OWN, make_unit(f"u-{a}", a, load_profile(name), turnaround=0.012)) for name, a in units]

    def garbled(_: Setting, shot: Shot) -> Any:
        from drivers.survey.talk import Heard  # noqa: PLC0415

        return Heard(b"\x05\x03\x02\x00\x00\xff\xff", 0.01) if shot.frame[0] == 5 else None

    return Bench(made, garbled)


def sniffed() -> list[dict[str, Any]]:
    pieces = []
    for n in range(6):
        for unit in (17, 18, 19):
            at = 10.0 + n + unit / 100
            ask, body = pdu.read(unit, 3, 0, 1).rtu, bytes([unit, 3, 2, 0, n])
            answer = body + pdu.crc(body)
            if unit == 18:
                answer = bytes(
                    a & b for a, b in zip(answer + b"\xff\xff", b"\xff" + answer + b"\xff", strict=True)
                )
            pieces += [
                {"way": ">>", "data": ask.hex(), "at": at},
                {"way": "<<", "data": answer.hex(), "at": at + 0.03},
            ]
    return pieces


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[str]:
    """A daemon with one line."""
    line = bench()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {
                "/api/v1/status": {"lines": [{"name": "rs485-1"}]},
                "/api/v1/lines/rs485-1": LINE | {"devices": {"gas-1": "2"}},
            }
            self.answer(json.dumps(known[self.path]))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            what = self.path.rpartition("/")[2]
            if what == "talk":
                shots = [
                    Shot(Tongue(s["tongue"]), bytes.fromhex(s["frame"]), s["patience"], s["linger"])
                    for s in body["shots"]
                ]
                heard = asyncio.run(line.ask(OWN, shots))
                self.answer(
                    json.dumps(
                        {"heard": [{"data": h.data.hex(), "wait": h.wait} for h in heard], "held": 0.1}
                    )
                )
            elif what == "sniff":
                self.answer("\n".join(map(json.dumps, sniffed())))
            else:
                words = BLOCK[body["address"] : body["address"] + body["count"]]
                data = bytes([2 * len(words)]) + b"".join(w.to_bytes(2, "big") for w in words)
                query = pdu.read(body["unit"], body["function"], body["address"], body["count"])
                said = {
                    "request": query.rtu.hex(" ").upper(),
                    "data": data.hex(" ").upper(),
                    "registers": words,
                    "took": 0.03,
                }
                self.answer(json.dumps(said))

        def answer(self, text: str) -> None:
            data = text.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    path = str(tmp_path / "api.sock")
    with UnixStreamServer(path, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield path
        finally:
            server.shutdown()
            thread.join()


LOOKS = {
    "scan": ("scan rs485-1 --units 1-40", 0),
    "sniff": ("sniff rs485-1 --for 2 --frames", 4),
    "read-decode": ("read rs485-1 -a 31 -f 4 -n 10 --decode", 0),
    "read-expect": ("read rs485-1 -a 31 -f 4 -n 10 --expect 50.0", 0),
}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("look", LOOKS)
def test_a_verb_prints_what_it_always_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], daemon: str, look: str, language: str
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", language)
    argv, status = LOOKS[look]
    assert main([*argv.split(), "--socket", daemon]) == status
    out = capsys.readouterr().out
    if look == "scan":  # shares change with every model that the library learns
        out = re.sub(r"\d\d%", "NN%", out)
    assert out == (GOLDEN / f"{look}.{language}.txt").read_text("utf-8")


@pytest.mark.parametrize("look", LOOKS)
def test_machines_get_json(capsys: pytest.CaptureFixture[str], daemon: str, look: str) -> None:
    argv, status = LOOKS[look]
    assert main([*argv.split(), "--socket", daemon, "-o", "json"]) == status
    data = json.loads(capsys.readouterr().out)
    if look == "scan":
        assert [(f["address"], f["profile"]) for f in data["found"]][:2] == [
            (5, None),
            (17, "gas/oem-module"),
        ]
        assert data["polled"] == {"gas-1": "2"}
    if look == "sniff":
        assert [(t["kind"], t["address"]) for t in data["troubles"]] == [("two_devices", "18")]


def test_what_is_found_goes_into_the_ledger_and_what_is_not_clear_into_its_remarks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, daemon: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "en")
    ledger = tmp_path / "devices.csv"
    argv = ["scan", "rs485-1", "--units", "1-40", "--socket", daemon, "--write-ledger", str(ledger)]
    assert main(argv) == 0
    text = ledger.read_text("utf-8")
    assert "gas-17,gas/oem-module,rs485-1,17,," in text
    assert "# unit 5" in text
    assert main(argv) == 0
    assert "0 rows added" in capsys.readouterr().err


def test_a_recorded_exchange_proves_its_profile(
    tmp_path: Path, daemon: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = tmp_path / "pzem.yaml"
    argv = [
        "read",
        "rs485-1",
        "-a",
        "31",
        "-f",
        "4",
        "-n",
        "10",
        "--socket",
        daemon,
        "--record",
        str(capture),
    ]
    assert main([*argv, "--profile", "meter/pzem-016"]) == 0
    assert main([*argv, "--profile", "meter/pzem-016"]) == 0
    found = read_capture(capture)
    assert len(found["exchanges"]) == 2
    assert found["exchanges"][0]["values"]["voltage"] == 230.1
    import drivers  # noqa: PLC0415

    profile = Path(str(drivers.__file__)).parent / "profiles" / "meter" / "pzem-016.yaml"
    assert main(["profiles", "check", str(profile), "--capture", str(capture)]) == 0
    capture.write_text(capture.read_text("utf-8").replace("voltage: 230.1", "voltage: 231.1"), "utf-8")
    assert main(["profiles", "check", str(profile), "--capture", str(capture)]) == 2
    assert "voltage is 230.1, the capture says 231.1" in capsys.readouterr().err
    assert main([*argv, "--profile", "gas/generic"]) == 1
    assert "not touched" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        "scan rs485-1 --units 0-300",
        "scan rs485-1 --protocols morse",
        "scan rs485-1 --baud fast",
        "scan rs485-1 --parity mark",
        "sniff rs485-1 --for 0",
        "read rs485-1 -a 31 --expect many",
        "read rs485-1 -a 31 --record x.yaml",
        "scan nosuch",
        "setup",
    ],
)
def test_what_makes_no_sense_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, daemon: str, argv: str
) -> None:
    monkeypatch.chdir(tmp_path)
    socket = [] if argv == "setup" else ["--socket", daemon]
    assert main([*argv.split(), *socket]) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["api.sock"]


@pytest.mark.parametrize(("language", "word"), [("zh", "终端"), ("en", "terminal")])
def test_setup_without_a_terminal_says_what_a_script_does_instead(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    language: str,
    word: str,
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", language)
    assert not sys.stdin.isatty()
    assert main(["setup", str(tmp_path / "new")]) == 2
    said = capsys.readouterr().err
    assert word in said
    assert "site.example.yaml" in said
    assert not (tmp_path / "new").exists()
