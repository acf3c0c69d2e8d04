"""Rule tests as data (`tocsin rules test FILE`): what comes in, second by second, and what comes out. Pure.

A case is a mapping of the form of DESIGN 2.4. Beside it:

* a value in a series is a number, true/false or the word of an enumeration; `bad` is a reading that cannot be
  believed, `gap` is no reading at all, any other quality (`over_range`, `no_answer` ...) is a bad reading of
  that kind; `"311 x80"` stands for eighty of the same;
* `series` maps points to lists, or devices to such maps; a series that ends early is a gap from then on;
  what is long is described (`rules.made`); with `copies: 60`, sixty devices NAME-1 ... see the same;
* `line: NAME`: the devices hang on a line, which may be the cause of their faults; `incidents` say what
  truly happened (`rules.incidents`): what was missed or false fails the case;
* `do` entries have one of the words of DOINGS with the name of a rule, or `restart: DOWN` and `clock: STEP`;
* `start` is the local time of the first sample (zone of the site, else UTC), for rules that know the hour;
* time 0 is the first sample; the case ends with the last one, or at `until`; between samples the clock ticks;
* raise, upgrade, repeat and clear are compared always, another kind of event only if the case expects one of
  that kind; an action that is refused is an event `refused`. Of an event, what `expect` names is compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gateway.model import EventKind
from rules.incidents import INCIDENT_KEYS, Incident
from rules.series import entries, from_csv, is_moment, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rules.series import Entry

    Played = dict[str, dict[str, tuple[Entry, ...]]]

Path = tuple[str | int, ...]
DOINGS = frozenset(
    {
        "ack",
        "silence",
        "reset",
        "dispose",
        "shelve",
        "unshelve",
        "suppress",
        "unsuppress",
        "disable",
        "enable",
        "drill",
        "drill_stop",
    }
)
ASIDE = {"restart", "clock"}
DO_KEYS = frozenset({"at", "device", "for", "by", "reason", "root", "approved_by", "what", "seen"})
MOST_COPIES = 10_000
EXPECT_KEYS = frozenset({"at", "device", "rule", "event", "level", "test", "activation", "active", "acked"})
CASE_KEYS = frozenset(
    {
        "name", "profile", "site", "device", "every", "rules", "series", "csv", "do", "expect", "until",
        "baseline", "start", "copies", "incidents", "line",
    }
)  # fmt: skip


class CaseError(Exception):
    """The file is no file of rule tests. `mistakes` holds every one: where it stands, and what is wrong."""

    def __init__(self, mistakes: Sequence[tuple[Path, str]]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("; ".join(f"{'.'.join(map(str, path))}: {what}" for path, what in mistakes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """Somebody does something at second `at`."""

    at: float
    word: str  # of DOINGS, or restart, clock
    rule: str = ""  # "*": every alarm of the device
    device: str = ""
    seconds: float = 0.0
    by: str = "tester"
    reason: str = "test"
    root: str = ""
    approved_by: str = ""
    what: str = ""
    seen: int | None = None  # activations on the screen; None: all there are


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One event that must come, with the fields that matter."""

    at: float
    rule: str
    event: str
    fields: Mapping[str, Any] = field(default_factory=dict)  # device, level, test ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One story and its outcome."""

    name: str
    expect: tuple[Expected, ...]
    series: Mapping[str, Mapping[str, tuple[Entry, ...]]]  # device -> point -> entries
    every: float = 1.0
    profile: str = ""
    site: str = ""
    device: str = "device"
    rules: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    csv: str = ""
    do: tuple[Do, ...] = ()
    until: float | None = None
    baseline: Mapping[str, float] = field(default_factory=dict)
    start: str = ""  # local time of the first reading, such as 2026-03-01 22:30
    incidents: tuple[Incident, ...] = ()
    line: str = ""


def parse(data: object, read_csv: Callable[[str], str] | None = None) -> list[Case]:
    """Return the cases of a file; `read_csv` gives the text of a file named in one.

    Raises CaseError with every mistake in it.
    """
    wrong: list[tuple[Path, str]] = []
    if not isinstance(data, list):
        raise CaseError([((), "must be a list of cases, each beginning with `- name:`")])
    cases = [_Reader((i,), item, wrong).case(read_csv) for i, item in enumerate(data)]
    if wrong:
        raise CaseError(wrong)
    return [case for case in cases if case is not None]


def _everywhere(wanted: Expected, series: Mapping[str, object]) -> list[Expected]:
    """Return what is expected of one device, or (`device: "*"`) of each."""
    if wanted.fields.get("device") != "*":
        return [wanted]
    return [replace(wanted, fields={**wanted.fields, "device": name}) for name in series]


class _Reader:
    """Makes one case of its mapping; what is wrong goes to a list, and reading goes on."""

    def __init__(self, path: Path, data: object, wrong: list[tuple[Path, str]]) -> None:
        self._path, self._wrong = path, wrong
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            self._say((), "must be a block of keys")

    def _say(self, path: Path, what: str) -> None:
        self._wrong.append(((*self._path, *path), what))

    def case(self, read_csv: Callable[[str], str] | None) -> Case | None:
        """Return the case; None after a mistake."""
        before, data = len(self._wrong), self._data
        for key in data.keys() - CASE_KEYS:
            self._say((key,), f"unknown key; known: {', '.join(sorted(CASE_KEYS))}")
        texts = {key: self._text(key) for key in ("profile", "site", "csv", "start", "line")}
        if texts["start"] and not is_moment(texts["start"]):
            self._say(("start",), "must be a local time such as 2026-03-01 22:30")
        if texts["profile"] and texts["site"]:
            self._say(("site",), "give profile or site, not both")
        device, every = self._text("device") or "device", self._time(data, "every", (), 1.0)
        if every <= 0:
            self._say(("every",), "must be longer than none")
            every = 1.0
        series = self._series(device)
        if texts["csv"] and read_csv is not None:
            try:
                for name, points in from_csv(read_csv(texts["csv"]), device, every).items():
                    series.setdefault(name, {}).update({p: tuple(v) for p, v in points.items()})
            except (ValueError, OSError) as error:
                self._say(("csv",), str(error))
        series = self._copied(series)
        expect = [self._expected(i, item) for i, item in self._list("expect", needed=True)]
        incidents = [self._incident(i, item, device) for i, item in self._list("incidents")]
        case = Case(
            name=self._text("name", needed=True),
            expect=tuple(one for each in expect for one in _everywhere(each, series)),
            incidents=tuple(
                replace(each, device=name)
                for each in incidents
                for name in (series if each.device == "*" else (each.device,))
            ),
            series=series,
            every=every,
            device=device,
            rules=self._block("rules"),
            do=tuple(self._do(i, item) for i, item in self._list("do")),
            until=self._time(data, "until", (), 0.0) if "until" in data else None,
            baseline=self._block("baseline"),
            **texts,
        )
        return case if len(self._wrong) == before else None

    def _text(self, key: str, *, needed: bool = False) -> str:
        value = self._data.get(key, "")
        if not isinstance(value, str) or (needed and not value):
            self._say((key,), "must be a text")
            return ""
        return value

    def _block(self, key: str) -> dict[str, Any]:
        value = self._data.get(key) or {}
        if not isinstance(value, dict):
            self._say((key,), "must be a block of keys")
            return {}
        return value

    def _list(self, key: str, *, needed: bool = False) -> list[tuple[int, dict[str, Any]]]:
        value = self._data.get(key, None if needed else [])
        if not isinstance(value, list):
            self._say((key,), "must be a list; `[]` if nothing may happen")
            return []
        for i, item in enumerate(value):
            if not isinstance(item, dict):
                self._say((key, i), "must be a block of keys")
        return [(i, item) for i, item in enumerate(value) if isinstance(item, dict)]

    def _time(self, data: Mapping[str, Any], key: str, path: Path, default: float | None = None) -> float:
        found = default if key not in data and default is not None else seconds(data.get(key))
        if found is None:
            self._say((*path, key), "must be a time such as 90s, 5m or 1.5")
            return 0.0
        return found

    def _series(self, device: str) -> Played:
        series = self._block("series")
        by_device = (
            series if all(isinstance(v, dict) for v in series.values()) and series else {device: series}
        )
        found: Played = {}
        for name, points in by_device.items():
            found[name] = {}
            for point, items in points.items():
                path: Path = ("series", point) if by_device is not series else ("series", name, point)
                if not isinstance(items, list):
                    self._say(path, "must be a list of values")
                    continue
                try:
                    found[name][point] = tuple(entries(items))
                except ValueError as error:
                    self._say(path, str(error))
        return found

    def _expected(self, i: int, item: dict[str, Any]) -> Expected:
        path: Path = ("expect", i)
        for key in item.keys() - EXPECT_KEYS:
            self._say((*path, key), f"unknown key; known: {', '.join(sorted(EXPECT_KEYS))}")
        event, rule = item.get("event"), item.get("rule")
        if event not in set(EventKind):
            self._say((*path, "event"), f"must be one of {', '.join(EventKind)}")
        if not isinstance(rule, str):
            self._say((*path, "rule"), "must be the name of a rule")
        more = {key: value for key, value in item.items() if key not in {"at", "rule", "event"}}
        return Expected(at=self._time(item, "at", path), rule=str(rule), event=str(event), fields=more)

    def _incident(self, i: int, item: dict[str, Any], device: str) -> Incident:
        path: Path = ("incidents", i)
        for key in item.keys() - INCIDENT_KEYS:
            self._say((*path, key), f"unknown key; known: {', '.join(sorted(INCIDENT_KEYS))}")
        times = {key: self._time(item, key, path) for key in ("from", "until", "within")}
        if not isinstance(item.get("rule"), str):
            self._say((*path, "rule"), "must be the name of a rule")
        return Incident(
            start=times["from"],
            until=times["until"],
            within=times["within"],
            rule=str(item.get("rule")),
            device=str(item.get("device", device)),
        )

    def _copied(self, series: Played) -> Played:
        """Return the series of every device as often as `copies` says; without it, once."""
        copies = self._data.get("copies", 0)
        if type(copies) is not int or not 0 <= copies <= MOST_COPIES:
            self._say(("copies",), f"must be a whole number up to {MOST_COPIES}")
        elif copies:
            return {f"{name}-{n}": points for name, points in series.items() for n in range(1, copies + 1)}
        return series

    def _do(self, i: int, item: dict[str, Any]) -> Do:
        path: Path = ("do", i)
        words = [key for key in item if key in DOINGS | ASIDE]
        for key in item.keys() - DO_KEYS - DOINGS - ASIDE:
            self._say((*path, key), f"unknown key; known: {', '.join(sorted(DO_KEYS | DOINGS | ASIDE))}")
        if len(words) != 1:
            self._say(path, f"must have exactly one of {', '.join(sorted(DOINGS | ASIDE))}")
            return Do(at=0.0, word="ack")
        word = words[0]
        span = 1800.0 if "for" not in item else self._time(item, "for", path)
        if word in ASIDE:
            span = self._time(item, word, path)
        texts = {
            key: str(item[key])
            for key in DO_KEYS & {"device", "by", "reason", "root", "approved_by", "what"} & item.keys()
        }
        rule = "" if word in ASIDE else str(item[word])
        at = self._time(item, "at", path)
        return Do(at=at, word=word, rule=rule, seconds=span, seen=item.get("seen"), **texts)
