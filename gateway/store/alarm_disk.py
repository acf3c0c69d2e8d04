"""alarms.db whatever the disk does: opened, set aside when damaged, read from a copy where it is refused."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeVar

from gateway.store.alarm_file import AlarmFile, Lines, rescue
from gateway.store.copied import copied
from gateway.store.files import told_apart
from gateway.store.records import Damaged, DiskRefused
from gateway.store.reserve import Reserve

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


class AlarmDisk:
    """The file of the alarm lane, and what came of it. Lives in the store's thread."""

    def __init__(
        self, folder: Path, synchronous: str, told: Callable[[str, int], None], healed: Callable[[], None]
    ) -> None:
        """`told` hears what was damaged, and how many records of it were saved; `healed`: it was replaced."""
        self.file = AlarmFile(folder / "alarms.db", synchronous)
        self.reserve = Reserve(folder / "reserve")
        self.epoch = 0  # of this run: in the name of what is set aside
        self.damaged: list[str] = []
        self.why = ""
        self.failed = 0
        self._told, self._healed = told, healed
        self._copy: AlarmFile | None = (
            None  # of what the file holds, while the disk does not let it be opened
        )

    @property
    def readable(self) -> AlarmFile:
        """The file, or what it held."""
        return self._copy if self.file.closed and self._copy is not None else self.file

    def open(self) -> None:
        """Open the file or, when it is damaged, a fresh one with what could be saved. Never fails."""
        for last_try in (False, True):
            try:
                try:
                    self.file.open()
                except Damaged as error:
                    self._replace(error)
            except (DiskRefused, Damaged) as error:  # what was saved of it may be damaged, too
                self.refused(error)
                if last_try or not self.reserve.give_up():
                    self._copy = self._copy or copied(self.file.path)
                    return
            else:
                self._copy = None
                return

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()
        if self._copy is not None:
            self._copy.close()

    def refused(self, error: Exception) -> None:
        """Note that the disk refused something."""
        self.why = str(error)
        self.failed += 1

    def heal(self, error: Damaged) -> None:
        """Go on with a fresh file and what could be saved of the damaged one."""
        try:
            self._replace(error)
        except (DiskRefused, Damaged) as second:
            self.refused(second)
        else:
            self._healed()

    def _replace(self, error: Damaged) -> None:
        self.file.close()
        self.damaged.append(str(error))
        self.file, bad, saved = rescue(self.file, self.epoch)
        self.damaged[-1] = f"{bad.name} ({error}; {saved} records saved)"
        self._told(bad.name, saved)

    # -- reading ---------------------------------------------------------------------------------

    def ask(self, job: Callable[[AlarmFile], T], otherwise: T) -> T:
        """Ask the file, or what it held; one that cannot be read at all answers `otherwise`."""
        for _ in range(2):  # once more after a damaged file was replaced
            if self.file.closed and self._copy is None:
                self.open()
            try:
                return job(self.readable)
            except DiskRefused as error:
                self.why = str(error)
                break
            except Damaged as error:
                self.heal(error)
        return otherwise

    def look(self, job: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Ask the tables of the file, as `ask`."""

        def look(file: AlarmFile) -> T:
            with told_apart(file.path):
                return job(file.db)

        return self.ask(look, otherwise)

    def lines(self, where: Lines) -> dict[str, str]:
        """Return the values of a table by their keys. One that is not as it was written goes, and is told."""
        found, bad = self.ask(lambda file: file.lines(where), (dict[str, str](), list[str]()))
        for key in bad:
            name = f"{self.file.path.name}: {where} {key}"
            self.damaged.append(f"{name}: wrong check sum")
            self._told(name, 0)
        if bad:
            with contextlib.suppress(DiskRefused, Damaged):  # then it is found again at the next start
                self.readable.drop(where, bad)
        return found
