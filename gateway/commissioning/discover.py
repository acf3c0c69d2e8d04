"""The steps of the setup that look at the wires: which port, who is on it, what each is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.checks import unconfirmed
from drivers.line.settings import LineSettings
from drivers.registry import PROTOCOLS
from drivers.survey.plan import Scope
from gateway.cli.found import Show, left_out
from gateway.cli.output import Failure, number
from gateway.cli.scan import BUDGET
from gateway.commissioning.answers import DeviceAnswer, LineAnswer
from gateway.commissioning.rows import BELIEVED, row_for
from gateway.commissioning.survey import Place, survey
from gateway.config.fields import ENDPOINT, NAME
from gateway.language import pick, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drivers.profile import Profile
    from drivers.survey.found import Found
    from drivers.survey.talk import Setting, Tongue
    from gateway.commissioning.answers import Answers
    from gateway.commissioning.ask import Terminal

CHOICES: Final = 4  # profiles offered for one device


def pick_ports(term: Terminal, there: Sequence[str]) -> list[str]:
    """Return the ports to survey."""
    for index, port in enumerate(there, start=1):
        term.show(f"  {index} {port}")
    if not there:
        term.tell("没有找到串口；可输入 主机:端口", "no serial port was found; a host:port will do too")

    def wrong(text: str) -> str:
        bad = [word for word in text.split() if not _port(word, there)]
        if bad or not text.split():
            zh, en = "请输入编号、/dev/… 或 主机:端口", "numbers, a /dev/... path or host:port"
            return f"{' '.join(bad)}: {say(zh, en)}" if bad else say(zh, en)
        return ""

    default = " ".join(str(n + 1) for n in range(len(there)))
    words = term.ask("用哪些（空格分开）", "Which ones (spaces between)", default, wrong).split()
    return list(dict.fromkeys(_port(word, there) for word in words))


def _port(word: str, there: Sequence[str]) -> str:
    if word.isdecimal():
        return there[int(word) - 1] if 1 <= int(word) <= len(there) else ""
    return word if word.startswith("/") or ENDPOINT.fullmatch(word) else ""


def look_at(term: Terminal, port: str, profiles: Mapping[str, Profile]) -> list[Found]:
    """Survey a port until the person is content; raises nothing, a port that will not open is told."""
    thorough = False
    while True:
        term.tell(f"正在扫描 {port} …", f"surveying {port} ...")
        show = Show(quiet=False)
        try:
            scope = Scope(thorough=thorough)
            report, _ = survey(
                Place(port, settings=settings(port)), profiles, scope, 600 if thorough else BUDGET, show.tell
            )
        except Failure as failure:
            term.show(f"  ! {failure}")
            report = None
        show.clear()
        found = [] if report is None else report.found
        term.tell(f"找到 {len(found)} 台", f"{len(found)} found")
        if report is not None and report.left_out:
            term.tell(f"未询问：{left_out(report)}", f"not asked: {left_out(report)}")
        options = [
            say("就这些", "that is all"),
            say("再扫一次", "once more"),
            say("彻底扫描（数分钟）", "thoroughly (minutes)"),
        ]
        chosen = term.choose("继续", "Go on", options)
        if chosen == 1:
            return found
        thorough = chosen == 3


def settings(port: str) -> LineSettings:
    """Return the settings of a port that nothing is known of yet."""
    if port.startswith("/"):
        return LineSettings("setup", "modbus-rtu", serial=port)
    return LineSettings("setup", "modbus-tcp", tcp=port)


def take(
    term: Terminal, answers: Answers, port: str, found: Sequence[Found], profiles: Mapping[str, Profile]
) -> None:
    """Make a line and devices of what was found; what cannot share the line is told."""
    usable = [each for each in found if each.trouble is None and _protocol(each.tongue, port) is not None]
    for each in found:
        if each.trouble is not None:
            term.tell(f"地址 {each.who}：应答冲突，先排除", f"unit {each.who}: garbled; mend that first")
    if not usable:
        return
    setting, tongue = _most([(each.setting, each.tongue) for each in usable])
    line = LineAnswer(
        f"line-{len(answers.lines) + 1}",
        port,
        _protocol(tongue, port) or "modbus-rtu",
        setting.baud,
        setting.parity,
        setting.stop,
    )
    answers.lines.append(line)
    for each in usable:
        if (each.setting, each.tongue) != (setting, tongue):
            zh = (
                f"地址 {each.who}（{each.setting}，{each.tongue}）与本线路 {setting} 不同，未加入：请改成一致"
            )
            en = f"unit {each.who} ({each.setting}, {each.tongue}) is unlike this line ({setting}): left out"
            term.tell(zh, en)
            continue
        _take_one(term, answers, line, each, profiles)


def _most(kinds: list[tuple[Setting, Tongue]]) -> tuple[Setting, Tongue]:
    return max(kinds, key=kinds.count)


def _protocol(tongue: Tongue, port: str) -> str | None:
    """Return how a line of a site that speaks so is called; None when no gateway can read it."""
    if not port.startswith("/") and tongue == "modbus-rtu":
        return "modbus-tcp"
    return tongue.value if tongue.value in PROTOCOLS else None


def _take_one(
    term: Terminal, answers: Answers, line: LineAnswer, found: Found, profiles: Mapping[str, Profile]
) -> None:
    profile = _which(term, found, profiles)
    if profile is None:
        return
    taken = {device.name for device in answers.devices}
    row = row_for(found, line.name, taken, profile)
    assert row is not None

    def wrong(text: str) -> str:
        if not NAME.fullmatch(text):
            return say("小写字母、数字、连字符", "small letters, digits, hyphens")
        return say("已被占用", "is taken") if text in taken else ""

    name = term.ask("  名称", "  Name", row.name, wrong)
    place = term.ask("  位置（可空）", "  Place (may be empty)")
    device = DeviceAnswer(name, profile, line.name, row.address, place=place)
    _confirm(term, device, profiles[profile])
    answers.devices.append(device)


def _which(term: Terminal, found: Found, profiles: Mapping[str, Profile]) -> str | None:
    """Ask which model it is; None: leave it out."""
    term.show("")
    unit = say("地址", "unit")
    values = (
        [f"{k} {number(v)}" for k, v in list(found.matches[0].values.items())[:3]] if found.matches else []
    )
    term.show(f"• {unit} {found.who}  {found.setting}")
    if values:
        term.tell("  " + ", ".join(values), "  " + ", ".join(values))
    likely = [match for match in found.matches if match.share >= 0.02][:CHOICES]
    options = [f"{match.profile} {match.share:.0%}  {pick(profiles[match.profile].name)}" for match in likely]
    options += [say("其他型号", "another model"), say("不加入", "leave it out")]
    default = 1 if likely and likely[0].share >= BELIEVED else len(options) - 1
    chosen = term.choose("型号", "Model", options, default)
    if chosen <= len(likely):
        return likely[chosen - 1].profile
    if chosen == len(options):
        return None

    def wrong(text: str) -> str:
        return (
            ""
            if text in profiles
            else say("没有；见 tocsin profiles list", "no such; `tocsin profiles list`")
        )

    return term.ask("  型号名", "  Its name", "", wrong)


def _confirm(term: Terminal, device: DeviceAnswer, profile: Profile) -> None:
    """Ask what the profile's source leaves open."""
    for name, point in profile.points.items():
        for left_open in unconfirmed(point, {}):
            default = getattr(point, left_open)
            if not isinstance(default, int | float):
                term.tell(
                    f"{name}.{left_open} 须写入站点文件", f"{name}.{left_open} has to be set in the site file"
                )
                continue
            given = term.ask(
                f"  {name} 的 {left_open}（见铭牌或手册）",
                f"  {left_open} of {name} (manual)",
                f"{default:g}",
                _number,
            )
            device.map.setdefault(name, {})[left_open] = float(given)


def _number(text: str) -> str:
    try:
        float(text)
    except ValueError:
        return say("应为数字", "a number is wanted")
    return ""
