"""kill -9 at random moments of every writing mode: what stands under a final name is whole.

`ZTFAST_KILLS=50` kills each mode so often (`make kill`); the suite takes a few modes, twice each.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from tests import seeds
from tests.cli import writing

SEED = seeds.seed(None)
KILLS = int(os.environ.get("ZTFAST_KILLS", "0"))
FEW = ("pcap", "split", "csv")
OLD = b"what an earlier run left\n"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9")
@pytest.mark.parametrize("mode", writing.modes() if KILLS else FEW)
def test_what_has_its_name_is_whole(mode: str, tmp_path: Path) -> None:
    capture = writing.capture(tmp_path)
    with writing.fresh(tmp_path / "whole") as out:
        began = time.monotonic()
        subprocess.run(writing.words(mode, capture, out), check=True, capture_output=True)
        took = time.monotonic() - began
        whole = writing.files(out)
    assert whole
    rng = random.Random(f"{SEED} {mode}")
    for _ in range(KILLS or 2):
        with writing.fresh(tmp_path / "killed") as out:
            for name in whole if mode != "rotated" else ():
                (out / name).parent.mkdir(exist_ok=True)
                (out / name).write_bytes(OLD)
            moment = rng.uniform(0.3, 1.1) * took
            _kill(writing.words(mode, capture, out), moment)
            for name, data in writing.files(out).items():
                assert data in (OLD, whole.get(name)), (SEED, mode, name, moment, len(data))
    # and what the last one left is in nobody's way
    subprocess.run(writing.words(mode, capture, out), check=True, capture_output=True)
    assert writing.files(out) == whole, (SEED, mode)


def _kill(words: list[str], moment: float) -> None:
    """Run it, and end it then, wherever it is."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            process.kill()
