"""Coverage-guided fuzzing of every codec: `make fuzz [SECONDS=600]`, or `python -m tests.fuzz`.

    --seconds N   for each codec (600); --jobs N at a time (1); --only CODEC, may be given several times
    --keep FOLDER where the corpora grow and findings are put (.fuzz)

First it fuzzes two codecs with planted defects and ends if those are not found. Exit 1 on a finding; the input
is kept: put it into tests/fuzz/findings/CODEC/, where every test run tries it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE.parent)]

from fuzz.codecs import CODECS  # noqa: E402  the path comes first
from fuzz.planted import PLANTED  # noqa: E402
from fuzz.seeds import findings, seeds  # noqa: E402

PATIENCE = 600  # seconds in which a planted defect must be found; on an idle machine it takes some ten
HANG = 30  # seconds on one input are a hang, on a machine that others use too
_RUNS = re.compile(r"stat::number_of_executed_units: (\d+)")
_DONE = re.compile(r"Done \d+ runs? in (\d+) second")
_STATE = re.compile(r"#\d+\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)")


class Run(NamedTuple):
    """How one codec went."""

    codec: str
    found: Path | None  # the input that broke it
    executions: int
    seconds: int
    edges: int
    corpus: int

    def __str__(self) -> str:
        what = f"FOUND SOMETHING: {self.found}" if self.found else "nothing found"
        return (
            f"{self.codec:<13} {self.seconds:>4} s {self.executions:>9} inputs"
            f" {self.edges:>4} edges {self.corpus:>5} kept  {what}"
        )


def fuzz(codec: str, seconds: int, keep: Path) -> Run:
    """Fuzz one codec in a process of its own. Raises RuntimeError when that process did not work."""
    corpus = keep / codec
    if codec in PLANTED:  # which must be found from nothing, each time
        shutil.rmtree(corpus, ignore_errors=True)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate([*seeds(codec), *findings(codec)] if codec in CODECS else ()):
        (corpus / f"seed-{number:03d}").write_bytes(seed)
    prefix = f"{codec}-found-"
    for old in keep.glob(f"{prefix}*"):
        old.unlink()
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={HANG}",
        f"-report_slow_units={HANG}",
        "-rss_limit_mb=1024",
        "-max_len=1400",
        "-print_final_stats=1",
        f"-artifact_prefix={keep}/{prefix}",
    ]
    log = keep / f"{codec}.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "tests.fuzz.one", codec, str(corpus), *options]
        status = subprocess.run(command, cwd=ROOT, stdout=out, stderr=out, check=False).returncode
    text = log.read_text(errors="replace")
    found = next(keep.glob(f"{prefix}*"), None)
    if status and not found:
        raise RuntimeError(f"{codec} was not fuzzed: {text[-2000:]}")
    executions, took, state = _RUNS.findall(text), _DONE.findall(text), _STATE.findall(text)
    edges, _, units = state[-1] if state else (0, 0, 0)
    return Run(codec, found, int(executions[-1]), int(took[-1]) if took else 0, int(edges), int(units))


def main() -> int:
    """Fuzz what is asked for; 1 when something was found, or when not even the planted defects were."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", action="append", choices=sorted(CODECS), metavar="CODEC")
    parser.add_argument("--keep", type=Path, default=ROOT / ".fuzz")
    args = parser.parse_args()
    args.keep.mkdir(parents=True, exist_ok=True)
    os.nice(19)
    for name in PLANTED:
        run = fuzz(name, PATIENCE, args.keep)
        print(run, flush=True)
        if not run.found:
            print(f"{name} was not found within {PATIENCE} s: this fuzzer proves nothing")
            return 1
    clean = True
    with ThreadPoolExecutor(args.jobs) as pool:
        one = partial(fuzz, seconds=args.seconds, keep=args.keep)
        for run in pool.map(one, args.only or sorted(CODECS)):
            print(run, flush=True)
            clean = clean and run.found is None
    return int(not clean)


if __name__ == "__main__":
    sys.exit(main())
