"""What the READMEs tell an operator to copy is a site that passes the check."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from gateway.config import load

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_copied_examples_are_a_whole_site(readme: str, tmp_path: Path) -> None:
    copies = re.findall(r"^cp (\S+) (\S+)", (ROOT / readme).read_text("utf-8"), re.MULTILINE)
    assert copies
    for source, target in copies:
        shutil.copy(ROOT / source, tmp_path / target)
    assert load(tmp_path / "site.yaml").devices
