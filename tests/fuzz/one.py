"""Fuzzes one codec in this process: `python -m tests.fuzz.one CODEC FOLDER [libFuzzer option ...]`.

FOLDER is the corpus, which grows. Needs atheris, which is no dependency of the project.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

with atheris.instrument_imports(include=["drivers", "fuzz.planted"]):
    from fuzz import codecs, planted


def main() -> None:
    """Run until an option ends it or something is found; libFuzzer sets the exit status."""
    name, *rest = sys.argv[1:]
    if name in planted.PLANTED:
        seal, defect = codecs.CODECS["dlt645"].seal, planted.PLANTED[name]
        atheris.Setup([sys.argv[0], *rest], lambda data: defect(seal(data)))
    else:
        atheris.Setup([sys.argv[0], *rest], lambda data: codecs.check(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
