"""The setup: from nothing to a checked site file and a proven reading. Each step is kept."""

from __future__ import annotations

import os
import zoneinfo
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.cli import check
from gateway.cli.output import Failure, number
from gateway.commissioning import answers as kept
from gateway.commissioning import discover
from gateway.commissioning.answers import Answers
from gateway.commissioning.ask import WIDE
from gateway.commissioning.ports import ports
from gateway.commissioning.prove import Proof, prove
from gateway.commissioning.rows import replace_file
from gateway.commissioning.sitefile import LEDGER, SITE, ledger_csv, site_yaml
from gateway.commissioning.survey import library
from gateway.config import ConfigError, Site, load
from gateway.config.budget import line_budgets, overfull
from gateway.config.fields import BROKER, NAME
from gateway.language import language, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.commissioning.ask import Terminal

STEPS: Final = 7
PERIODS: Final = ("2s", "5s", "10s", "30s", "60s", "5m")
SYSTEM: Final = Path("/etc/tocsin")


class Wizard:
    """One setup in one folder."""

    def __init__(self, term: Terminal, folder: Path, more_ports: Sequence[str]) -> None:
        self._term = term
        self._folder = folder
        self._more = more_ports
        self.answers = Answers(language=language())

    @property
    def site_file(self) -> Path:
        """The file that comes out."""
        return self._folder / SITE

    def run(self) -> bool:
        """Ask everything; return whether the gateway shall be started now. Raises Stopped, Failure."""
        self._resume()
        steps = (self._language, self._who, self._devices, self._broker, self._write, self._prove)
        for number_, step in enumerate(steps):
            if self.answers.done <= number_:
                step()
                self.answers.done = number_ + 1
                self._save()
        return self._start()

    def _save(self) -> None:
        try:
            self.answers.save(self._folder)
        except OSError as error:
            raise Failure(f"{self._folder}: {error.strerror}") from error

    def _resume(self) -> None:
        before = kept.load(self._folder)
        if before is not None:
            os.environ["TOCSIN_LANG"] = before.language or language()
            text = f"{before.done}/{STEPS - 1}"
            if self._term.yes(
                f"上次的设置做到 {text}，继续吗", f"An earlier setup stopped at {text}. Continue"
            ):
                self.answers = before
                return
            kept.forget(self._folder)
        if self.site_file.exists():
            zh = f"{self.site_file} 已存在。重新设置并替换（旧文件另存）"
            en = f"{self.site_file} is there already. Set up anew and replace it (the old one is kept)"
            if not self._term.yes(zh, en, default=False):
                raise Failure(say("未改动任何文件", "nothing was changed"), 1)

    # The steps.

    def _language(self) -> None:
        chosen = self._term.choose(
            "语言 / Language", "语言 / Language", ["中文", "English"], 1 if language() == "zh" else 2
        )
        self.answers.language = ("zh", "en")[chosen - 1]
        os.environ["TOCSIN_LANG"] = self.answers.language

    def _who(self) -> None:
        self._term.heading(1, STEPS, "站点", "The site")
        self._term.tell(
            "站点代号进入主题与数据库，之后不改", "The code goes into topics and tags and stays for good"
        )
        answers = self.answers

        def wrong(text: str) -> str:
            fits = NAME.fullmatch(text) and len(text) <= 64
            return "" if fits else say("小写字母、数字、连字符", "small letters, digits, hyphens")

        answers.site = self._term.ask("站点代号", "Code of the site", answers.site or "lvjing", wrong)
        answers.gateway = self._term.ask("网关代号", "Code of the gateway", answers.gateway, wrong)
        answers.name = self._term.ask("名称（给人看）", "Its name, for people", answers.name or answers.site)
        answers.timezone = self._term.ask("时区", "Time zone", answers.timezone, _no_zone)

    def _devices(self) -> None:
        self._term.heading(2, STEPS, "线路与设备", "Lines and devices")
        answers = self.answers
        chosen = discover.pick_ports(self._term, ports(self._more))
        profiles = library(self._folder)
        found = {port: discover.look_at(self._term, port, profiles) for port in chosen}
        self._term.heading(3, STEPS, "命名", "Names")
        self._term.tell("回车即采用方括号中的值", "Enter takes what stands in brackets")
        answers.lines, answers.devices = [], []
        for port, there in found.items():
            discover.take(self._term, answers, port, there, profiles)
        if not answers.devices:
            raise Failure(
                say("没有设备：请检查接线与供电后再试", "no devices: check wires and power, then again")
            )

    def _broker(self) -> None:
        self._term.heading(4, STEPS, "上送", "Where it goes")
        answers = self.answers
        self._term.tell(
            "没有消息服务器时留空：网关只在本地保存", "Empty: no broker; the gateway keeps everything here"
        )

        def wrong(text: str) -> str:
            fits = not text or BROKER.fullmatch(text)
            return (
                "" if fits else say("例如 mqtts://broker.example:8883", "such as mqtts://broker.example:8883")
            )

        answers.broker = self._term.ask("MQTT 服务器", "MQTT broker", answers.broker, wrong)
        if not answers.broker:
            return
        answers.username = self._term.ask("用户名（可空）", "User name (may be empty)", answers.username)
        if answers.username and (password := self._term.secret("密码（不显示）", "Password (not shown)")):
            file = self._folder / "secrets" / "mqtt"
            file.parent.mkdir(mode=0o700, exist_ok=True)
            _private(file, password)
            answers.password_file = str(file.relative_to(self._folder))

    def _write(self) -> None:
        self._term.heading(5, STEPS, "写入并检查", "Write and check")
        self._put()
        site = self._checked()
        for every in PERIODS:
            full = overfull(site, line_budgets(site))
            if not full:
                break
            crowded = {name for name in site.lines if any(f"lines.{name}:" in text for text in full)}
            names = ", ".join(sorted(crowded))
            self._term.tell(
                f"{names} 太忙：周期改为 {every}", f"{names} is too busy: every device each {every}"
            )
            for device in self.answers.devices:
                if device.line in crowded:
                    device.every = every
            self._put()
            site = self._checked()
        if self._term.columns() >= WIDE:
            check.run(Namespace(config=self.site_file, output="table"))
        else:
            check.print_headlines(site, line_budgets(site))

    def _put(self) -> None:
        """Write both files, keeping what was there before."""
        data = "/var/lib/tocsin" if self._folder == SYSTEM else str(self._folder / "data")
        texts = {LEDGER: ledger_csv(self.answers), SITE: site_yaml(self.answers, data)}
        try:
            for name, text in texts.items():
                path = self._folder / name
                if path.exists() and not path.with_suffix(path.suffix + ".old").exists():
                    path.with_suffix(path.suffix + ".old").write_bytes(path.read_bytes())
                replace_file(path, text.encode())
        except OSError as error:
            raise Failure(f"{self._folder}: {error.strerror}") from error

    def _checked(self) -> Site:
        try:
            return load(self.site_file)
        except ConfigError as error:
            raise Failure(str(error), 2) from error

    def _prove(self) -> None:
        self._term.heading(6, STEPS, "读一次为证", "A proven reading")
        while True:
            site = self._checked()
            proofs = prove(site)
            for proof in proofs:
                _show(self._term, site, proof)
            good = sum(proof.good for proof in proofs)
            self._term.tell(f"{good}/{len(proofs)} 台读到数据", f"{good} of {len(proofs)} devices were read")
            if good == len(proofs):
                self._term.tell("请与设备屏幕核对", "Compare them with the displays of the devices")
                return
            options = [say("再读一次", "read again"), say("先这样", "leave it so")]
            if self._term.choose("怎么办", "What now", options) > 1:
                return

    def _start(self) -> bool:
        self._term.heading(7, STEPS, "启动", "Start")
        kept.forget(self._folder)
        self._term.show(f"✓ {self.site_file}")
        options = [say("现在在此运行", "run it here now"), say("先不运行", "not now")]
        if Path("/run/systemd/system").exists():
            zh, en = (
                "要随系统启动：见 systemd/README.md（systemctl enable --now tocsin）",
                "To start with the board: systemd/README.md (systemctl enable --now tocsin)",
            )
            self._term.tell(zh, en)
        return self._term.choose("选择", "Choose", options) == 1


def _no_zone(text: str) -> str:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return say("没有这个时区，例如 Asia/Shanghai", "no such zone; such as Asia/Shanghai")
    return ""


def _private(path: Path, text: str) -> None:
    """Write a secret that only its owner may read."""
    old = os.umask(0o077)
    try:
        replace_file(path, text.encode())
    finally:
        os.umask(old)


def _show(term: Terminal, site: Site, proof: Proof) -> None:
    profile = site.devices[proof.device].profile
    mark = "✓" if proof.good else "✗"
    term.show(f"{mark} {proof.device}")
    if proof.error:
        term.show(f"    {proof.error}")
    texts: list[str] = [
        f"{name} {_value(value)} {profile.unit(name)}".rstrip() for name, value in proof.values.items()
    ]
    texts += [f"{name} ? {quality}" for name, quality in proof.bad.items()]
    line = "   "
    for text in texts:
        if len(line) + len(text) > term.columns() and line.strip():
            term.show(line.rstrip(", "))
            line = "   "
        line += f" {text},"
    if line.strip():
        term.show(line.rstrip(", "))


def _value(value: Any) -> str:  # noqa: ANN401  a reading
    return number(value, 5)
