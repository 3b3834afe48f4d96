"""Running a fuzz target: by atheris, guided by coverage, or by a plain loop of mutations.

Contract: a target is a module `fuzz.fuzz_<name>` with `one(data: bytes) -> None`, which raises
for what must not happen; its corpus is the folder fuzz/corpus/<name>.  Both drivers run the
same function on the same corpus, and whatever fails is written to build/fuzz/<name>.
Tested by tests/fuzz/test_targets.py.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

HERE = Path(__file__).parent
OUT = HERE.parent / "build" / "fuzz"
# name -> the longest input in bytes
TARGETS = {
    "capture": 6000,
    "frame": 1024,
    "batch": 1024,
    "table": 40_000,
    "rules": 3000,
    "policy": 12_000,
    "network": 4000,
}
# One input must not take longer; a hang is a finding.
SECONDS = 30
EDGES = (0, 1, 4, 5, 6, 14, 15, 20, 40, 60, 127, 128, 255, 1 << 15, 1 << 16, 1 << 18, 1 << 31)
One = Callable[[bytes], None]


def target(name: str) -> One:
    """The function that takes a target's input."""
    one: One = importlib.import_module(f"fuzz.fuzz_{name}").one
    return one


def corpus(name: str) -> list[bytes]:
    """The seeds of a target, in a fixed order."""
    return [path.read_bytes() for path in sorted((HERE / "corpus" / name).iterdir())]


def words(name: str) -> list[bytes]:
    """What a text target's inputs are made of; b"" alone where there is no dictionary."""
    path = HERE / f"{name}.dict"
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip('"').replace(r"\"", '"').encode() for line in lines if line]


def atheris_is_there() -> bool:
    """Can the coverage-guided driver be used?"""
    return importlib.util.find_spec("atheris") is not None


# --- by atheris ----------------------------------------------------------------------------


def run_atheris(name: str, rounds: int, seed: int) -> None:
    """Coverage-guided rounds; ends the process, with a status other than 0 for a finding."""
    import atheris

    with atheris.instrument_imports(include=["ztfast"]):
        one = target(name)
    out = OUT / name
    (out / "corpus").mkdir(parents=True, exist_ok=True)
    options = [
        f"-runs={rounds}",
        f"-seed={seed}",
        f"-max_len={TARGETS[name]}",
        f"-timeout={SECONDS}",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        f"-artifact_prefix={out}/",
    ]
    if words(name):
        options.append(f"-dict={HERE / f'{name}.dict'}")
    found, seeds = str(out / "corpus"), str(HERE / "corpus" / name)
    atheris.Setup([sys.argv[0], *options, found, seeds], one)
    atheris.Fuzz()


# --- by a plain loop -----------------------------------------------------------------------


def run_plain(name: str, rounds: int, seed: int) -> None:
    """The whole corpus, then `rounds` mutations of it; raises what the target raises."""
    one, seeds = target(name), corpus(name)
    rng, dictionary = random.Random(f"{seed} {name}"), words(name)
    for data in seeds:
        _guarded(name, one, data)
    for _ in range(rounds):
        _guarded(name, one, mutated(rng, seeds, dictionary)[: TARGETS[name]])


def mutated(rng: random.Random, seeds: list[bytes], dictionary: list[bytes]) -> bytes:
    """A seed with a few changes: bits, edges of integers, words, parts of other seeds."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(8):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(data):
                data[at] = rng.randrange(256)
            case 2:
                size = rng.choice((1, 2, 4, 8))
                edge = (rng.choice(EDGES) + rng.choice((-1, 0, 1))) % (1 << 8 * size)
                data[at : at + size] = edge.to_bytes(size, rng.choice(("big", "little")))
            case 3:
                del data[at : at + rng.choice((1, 2, 4, 30, 300))]
            case 4:
                data[at:at] = rng.randbytes(rng.choice((1, 2, 4, 30)))
            case 5:
                start = rng.randrange(len(data) + 1)
                data[at:at] = data[start : start + rng.randrange(1, 100)]
            case 6 if dictionary:
                data[at:at] = rng.choice(dictionary)
            case _:
                other = rng.choice(seeds)
                start = rng.randrange(len(other) + 1)
                data[at:] = other[start:]
    return bytes(data)


def _guarded(name: str, one: One, data: bytes) -> None:
    """One input within its time; what fails is kept beside the error."""
    timed = hasattr(signal, "SIGALRM")
    if timed:
        signal.signal(signal.SIGALRM, _too_long)
        signal.alarm(SECONDS)
    try:
        one(data)
    except BaseException:
        path = OUT / name / "failing"
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        print(f"fuzz {name}: the input is in {path}: {data!r:.2000}", file=sys.stderr)
        raise
    finally:
        if timed:
            signal.alarm(0)


def _too_long(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"one input took longer than {SECONDS} s")
