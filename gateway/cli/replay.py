"""`tocsin rules replay`: what the rules, and those one thinks of, would have said to recorded readings."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from gateway import plot
from gateway.cli.client import Daemon, socket_of
from gateway.cli.output import Failure, Unreachable, add_output, ago, count, print_json, print_table
from gateway.cli.replay_picture import draw, write_picture
from gateway.config import ConfigError, Site, load, load_profile
from gateway.language import say
from gateway.proposed import Patient, patient_of, patients, profile_alarms, proposal
from gateway.recorded import lines, merged, of_folder, samples, table
from gateway.specs import site_specs
from rules.replay import Fired, Replay
from rules.series import seconds

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gateway.model import Sample
    from gateway.recorded import Ask
    from rules.rule import AlarmKey, AlarmSpec

NANO = 10**9
MOST_LINES = 50_000  # of one answer of the daemon
NO_FIRING = Fired()


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action."""
    text = say("在历史数据上试运行规则", "what the rules would have said to recorded readings")
    parser = verbs.add_parser("replay", help=text, description=text)
    parser.add_argument("-c", "--config", type=Path, metavar="SITE", help=say("站点文件", "the site file"))
    parser.add_argument("--socket", type=Path, help=say("守护进程的套接字", "the daemon's socket"))
    parser.add_argument(
        "--profile", metavar="NAME", help=say("仅用于 --csv", "with --csv: rules of a profile")
    )
    since = say(
        "开始：2026-11-22T08:00、或 7d（7 天前）；默认 24h",
        "begin: 2026-11-22T08:00, or 7d ago; default 24h",
    )
    parser.add_argument("--from", dest="since", metavar="T", help=since)
    parser.add_argument("--to", dest="until", metavar="T", help=say("结束；默认现在", "end; default now"))
    parser.add_argument(
        "--rules", type=Path, metavar="FILE", help=say("拟改的规则", "the rules you think of")
    )
    parser.add_argument("--device", action="append", metavar="D", help=say("仅此设备", "only this device"))
    parser.add_argument("--rule", metavar="R", help=say("仅显示此规则", "show only this rule"))
    parser.add_argument("--csv", type=Path, metavar="FILE", help=say("用表格代替历史", "a table instead"))
    parser.add_argument(
        "--every", type=seconds, default=1.0, help=say("表格行距", "between rows of a table without `at`")
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help=say("输出曲线图", "write a picture"))
    add_output(parser)
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Job:
    """What is replayed on what."""

    today: list[AlarmSpec]
    proposed: list[AlarmSpec] | None
    devices: Mapping[str, Patient]
    read: Callable[[Iterable[str]], Iterator[Sample]]  # the record of some devices, by time
    since: int
    until: int
    zone: ZoneInfo


def run(args: argparse.Namespace) -> int:
    """Replay; 1 when nothing was recorded, 2 for a mistake in what was asked."""
    spoilt: list[str] = []
    try:
        job = make_job(args, spoilt)
    except ConfigError as error:
        raise Failure("\n".join(error.messages), 2) from error
    runs = [Replay(specs) for specs in (job.today, job.proposed) if specs is not None]
    for sample in job.read(job.devices):
        for one in runs:
            one.feed(sample)
    found = [one.finish() for one in runs]
    if not runs[0].samples:
        raise Failure(say("这段时间没有记录", "nothing was recorded in this time"))
    keys = [key for key in dict.fromkeys(key for fired in found for key in fired) if wanted(key, args)]
    picture = draw(job, found, keys) if keys else None
    if args.output == "json":
        print_json(as_json(job, runs, found, keys))
    else:
        show(runs, found, keys)
        if picture is not None:
            columns = shutil.get_terminal_size().columns
            print("", *plot.text(picture, min(columns, 120)), sep="\n")
    if spoilt:
        print(
            say(f"{len(spoilt)} 行无法读取", f"{count(len(spoilt), 'line', 'lines')} could not be read"),
            file=sys.stderr,
        )
    if args.plot is not None and picture is not None:
        write_picture(args.plot, picture)
    return 0


def wanted(key: AlarmKey, args: argparse.Namespace) -> bool:
    """Return whether an alarm was asked for."""
    return args.rule in {None, key[1]} and (not args.device or key[0] in args.device)


# What is asked.


def make_job(args: argparse.Namespace, spoilt: list[str]) -> Job:
    """Return what is to be done. Raises ConfigError, Failure."""
    if args.csv is not None and args.profile is not None:
        return _profile_job(args)
    if args.config is None:
        text = "-c SITE 或 --csv FILE --profile NAME", "-c SITE is wanted, or --csv FILE --profile NAME"
        raise Failure(say(*text), 2)
    site = load(args.config)
    zone = site.timezone
    proposed = None if args.rules is None else proposal(args.rules, site)
    chosen = args.device or list(site.devices)
    if strangers := [name for name in chosen if name not in site.devices]:
        raise Failure(say(f"没有设备 {strangers[0]!r}", f"there is no device {strangers[0]!r}"), 2)
    known = {name: patient for name, patient in patients(site).items() if name in chosen}
    today = [spec for spec in site_specs(site) if not args.device or spec.device in chosen]
    if proposed is not None:
        proposed = [spec for spec in proposed if not args.device or spec.device in chosen]
    if args.csv is not None:
        found = _table(args, chosen[0])
        return Job(today, proposed, known, _reader(found), found[0].at, found[-1].at, zone)
    now = datetime.now(zone)
    since, until = moment(args.since or "24h", now), moment(args.until or "0s", now)
    if since >= until:
        raise Failure(say("--from 须早于 --to", "--from must be before --to"), 2)
    ask = asker(args, site)

    def read(names: Iterable[str]) -> Iterator[Sample]:
        return merged(
            samples(lines(ask, name, since, until), known[name].groups, since, spoilt) for name in names
        )

    return Job(today, proposed, known, read, since, until, zone)


def _profile_job(args: argparse.Namespace) -> Job:
    profile, device = load_profile(args.profile), (args.device or ["device"])[0]
    found = _table(args, device)
    every = (found[-1].mono / (len(found) - 1)) if len(found) > 1 else args.every
    today = profile_alarms(profile, device, every)
    proposed = None if args.rules is None else profile_alarms(profile, device, every, args.rules)
    known = {device: patient_of(profile, device)}
    return Job(today, proposed, known, _reader(found), found[0].at, found[-1].at, ZoneInfo("UTC"))


def _table(args: argparse.Namespace, device: str) -> list[Sample]:
    try:
        found = table(args.csv.read_text(encoding="utf-8-sig"), device, args.every)
    except (OSError, ValueError) as error:
        raise Failure(f"{args.csv}: {error}", 2) from error
    if not found:
        raise Failure(f"{args.csv}: {say('没有数据行', 'no rows')}", 2)
    return found


def _reader(found: list[Sample]) -> Callable[[Iterable[str]], Iterator[Sample]]:
    return lambda names: (sample for sample in found if sample.device in set(names))


def moment(text: str, now: datetime) -> int:
    """Return wall nanoseconds of `7d` (so long ago) or of a local or zoned ISO 8601 time. Raises Failure."""
    back = seconds(text)
    if back is not None:
        return round((now - timedelta(seconds=back)).timestamp() * NANO)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        wrong = f"{text!r} 不是时间", f"{text!r} is no time; such as 2026-11-22T08:00, or 7d for 7 days ago"
        raise Failure(say(*wrong), 2) from None
    return round((at if at.tzinfo else at.replace(tzinfo=now.tzinfo)).timestamp() * NANO)


def asker(args: argparse.Namespace, site: Site) -> Ask:
    """Return how to get at the record: the daemon if one answers, else its files."""
    daemon = Daemon(socket_of(args))

    def ask(device: str, since: int, until: int) -> tuple[list[str], bool]:
        path = f"/devices/{quote(device, safe='')}/history"
        found = daemon.get(f"{path}?since={since}&until={until}&limit={MOST_LINES}")
        return found["lines"], found["complete"]

    try:
        daemon.get("/status")
    except Unreachable:
        if args.socket is not None:
            raise
        if not site.data.is_dir():
            raise
        note = f"守护进程未运行，读取 {site.data}", f"no daemon answers: reading {site.data}"
        print(say(*note), file=sys.stderr)
        return of_folder(site.data)
    return ask


# What is shown.


def show(runs: list[Replay], found: list[dict[AlarmKey, Fired]], keys: list[AlarmKey]) -> None:
    """Print the table of what fired, and the sum in one sentence."""
    head = [say("设备", "device"), say("规则", "rule"), say("现行次数", "fires"), say("持续", "stood")]
    if len(found) > 1:
        head += [say("拟改次数", "proposed"), say("持续", "stood")]
    rows = []
    for key in keys:
        fired = [one.get(key, NO_FIRING) for one in found]
        if any(each.count for each in fired):
            rows.append([*key, *(cell for each in fired for cell in (each.count, ago(each.stood)))])
    if rows:
        print_table(head, rows)
    print(sentence([sum(one.get(key, NO_FIRING).count for key in keys) for one in found]))
    silence = runs[0].silence
    if silence.times:
        number = count(silence.times, "silence", "silences")
        text = (
            f"{silence.times} 段共 {ago(silence.seconds)} 无记录",
            f"not in the record: {number}, {ago(silence.seconds)} in all",
        )
        print(say(*text), file=sys.stderr)


def sentence(counts: list[int]) -> str:
    """Return the outcome in words."""
    times = "once" if counts[0] == 1 else f"{counts[0]} times"
    zh, en = f"本应触发 {counts[0]} 次", f"would have fired {times}"
    if len(counts) > 1:
        zh, en = f"{zh}；按拟改规则 {counts[1]} 次", f"{en}, {counts[1]} with the proposed rules"
    return say(zh, en)


def as_json(
    job: Job, runs: list[Replay], found: list[dict[AlarmKey, Fired]], keys: list[AlarmKey]
) -> dict[str, Any]:
    """Return the outcome for machines."""
    names = ("today", "proposed")
    silence = runs[0].silence
    rules = [
        {
            "device": device,
            "rule": rule,
            **{name: _fired(one.get((device, rule))) for name, one in zip(names, found, strict=False)},
        }
        for device, rule in keys
    ]
    counts = {
        name: sum(one.get(key, NO_FIRING).count for key in keys)
        for name, one in zip(names, found, strict=False)
    }
    covered = {"since": job.since, "until": job.until, "samples": runs[0].samples}
    return {**covered, "silences": silence.times, "silent": silence.seconds, "fired": counts, "rules": rules}


def _fired(fired: Fired | None) -> dict[str, Any] | None:
    if fired is None:
        return None
    return {"fired": fired.count, "stood": round(fired.stood, 3), "times": fired.times}
