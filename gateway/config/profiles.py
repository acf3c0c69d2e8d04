"""Finds and reads device profiles: those shipped in `drivers/profiles/`, and a site's own `profiles/`."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from drivers.checks import check
from drivers.ports import expand, origin, ports_of, written
from drivers.profile import Point, Profile
from drivers.registry import FAMILIES
from gateway.config import document
from gateway.config.report import ConfigError, Path, Place, Report, suggest
from gateway.config.rule import read_rule
from gateway.config.validate import Shape
from gateway.language import say

if TYPE_CHECKING:
    from gateway.config.document import Document


@cache
def profile_shape() -> Shape[Profile]:
    """Return the form of a profile file."""
    return Shape(Profile)


@cache
def point_shape() -> Shape[Point]:
    """Return the form of one point of a profile."""
    return Shape(Point)


@dataclass(frozen=True, slots=True)
class Entry:
    """A profile with the file it comes from."""

    name: str  # "gas/oem-module"
    profile: Profile
    document: Document


_SHIPPED: dict[str, Entry] = {}
"""Profiles of this installation that were read already; they do not change while we run."""


class Library:
    """All profiles a site can name. Each is read once, when it is first asked for."""

    def __init__(self, site_folder: pathlib.Path | None = None) -> None:
        shipped = resources.files("drivers") / "profiles"
        self._folders = [pathlib.Path(str(shipped))]
        if site_folder is not None:
            self._folders.append(site_folder / "profiles")
        self._known: dict[str, Entry | None] = {}

    def names(self) -> list[str]:
        """Return the names of all profiles, shipped ones and the site's own."""
        return sorted(self._files())

    def _files(self) -> dict[str, pathlib.Path]:
        return {
            file.relative_to(folder).with_suffix("").as_posix(): file
            for folder in self._folders
            for file in folder.glob("*/*.yaml")
        }

    def get(self, name: str, report: Report) -> Entry | None:
        """Return a profile; None when there is none or it is broken, and then the report says why."""
        if name not in self._known:
            file = next((f for folder in self._folders if (f := folder / f"{name}.yaml").is_file()), None)
            self._known[name] = self._read(name, file, report) if file is not None and _plain(name) else None
        return self._known[name]

    def _read(self, name: str, file: pathlib.Path, report: Report) -> Entry | None:
        if not file.is_relative_to(self._folders[0]):
            return read(name, file, report)
        entry = _SHIPPED.get(name) or read(name, file, report)
        if entry is not None:
            _SHIPPED[name] = entry
        return entry

    def find(self, name: str, place: Place, path: Path, report: Report) -> Entry | None:
        """Return the profile that the value at `path` names; None after saying what is wrong."""
        entry = self.get(name, report)
        if entry is None and name not in self._files():
            report.add(place, path, no_profile(name, self.names()))
        return entry


def no_profile(name: str, known: list[str]) -> str:
    """Say that there is no such profile, and which one may be meant."""
    return say(f"没有型号 '{name}'", f"there is no profile '{name}'") + suggest(name, known)


def _plain(name: str) -> bool:
    return name.count("/") == 1 and ".." not in name and not name.startswith("/")


def read(name: str, file: pathlib.Path, report: Report) -> Entry | None:
    """Read one profile file with its default rules; None after all its mistakes went into the report."""
    found = document.read(file, report)
    if found is None:
        return None
    own = Report()  # what is wrong in this file, apart from the rest of the run
    profile = profile_shape().read(found.data, found, (), own)
    if profile is not None:
        profile = expand(profile)
        for rule, data in profile.rules.items():
            read_rule(rule, data, found, origin(("rules", rule), profile), own)
        for problem in check(profile, FAMILIES):
            own.add(found, origin(problem.path, profile), problem.what)
    report.absorb(own)
    return None if own.failed or profile is None else Entry(name, profile, found)


def raw_point(entry: Entry, name: str) -> dict[str, Any]:
    """Return a point as its profile writes it, for a site to change parts of it."""
    ports, whose = entry.profile.ports, ports_of(entry.profile).get(name)
    if ports is not None and whose is not None:
        return dict(written(entry.document.data["ports"]["points"][whose.name], ports, whose.port))
    return dict(entry.document.data["points"].get(name) or {})


def profile_names(site_folder: pathlib.Path | None = None) -> list[str]:
    """Return the names of all profiles."""
    return Library(site_folder).names()


def load_profile(name: str, site_folder: pathlib.Path | None = None) -> Profile:
    """Return one profile by its name, such as gas/generic. Raises ConfigError with every mistake in it."""
    report = Report()
    library = Library(site_folder)
    entry = library.get(name, report)
    report.finish()
    if entry is None:
        raise ConfigError([no_profile(name, library.names())])
    return entry.profile


def load_profile_file(file: pathlib.Path) -> Profile:
    """Return the profile that a file holds. Raises ConfigError with every mistake in it."""
    report = Report()
    entry = read(f"{file.parent.name}/{file.stem}", file, report)
    report.finish()
    if entry is None:  # nothing is refused without a reason
        raise AssertionError(f"{file}: refused without a message")
    return entry.profile
