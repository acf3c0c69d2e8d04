"""What holds for every test.

No property test is judged by how long it took on a machine that others use too; and none may wait for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from disks import disk
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LONGEST_SLOW: Final = 3600
"""Seconds that a test marked `slow` has. The others have what `pyproject.toml` says."""

settings.register_profile("tocsin", deadline=None)
settings.load_profile("tocsin")


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONGEST_SLOW))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MB that `disks` can fill or take away for writing."""
    folder = tmp_path / "disk"
    with disk(folder, 12):
        yield folder
