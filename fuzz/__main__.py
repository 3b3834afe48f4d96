"""python -m fuzz TARGET|all [--rounds N] [--seed S] [--driver atheris|plain] [FILE …]

With files, the target runs on just these: that is how a finding is repeated.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from fuzz import driver


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("target", choices=[*driver.TARGETS, "all"])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = "atheris" if driver.atheris_is_there() else "plain"
    parser.add_argument("--driver", choices=["atheris", "plain"], default=chosen)
    given = parser.parse_args()
    if given.target == "all":
        return run_all(given)
    if given.files:
        for path in given.files:
            driver.target(given.target)(path.read_bytes())
        return 0
    if given.driver == "atheris" and not driver.atheris_is_there():
        parser.error("atheris is not installed: pip install atheris, or --driver plain")
    print(f"fuzz {given.target}: {given.rounds} rounds, seed {given.seed}, {given.driver}")
    run = driver.run_atheris if given.driver == "atheris" else driver.run_plain
    run(given.target, given.rounds, given.seed)
    return 0


def run_all(given: argparse.Namespace) -> int:
    """Each target in its turn: in this process, or for atheris, which ends it, in its own."""
    failed = []
    for name in driver.TARGETS:
        print(f"fuzz {name}: {given.rounds} rounds, seed {given.seed}, {given.driver}", flush=True)
        if given.driver == "plain":
            driver.run_plain(name, given.rounds, given.seed)
            continue
        words = ["--rounds", str(given.rounds), "--seed", str(given.seed), "--driver", "atheris"]
        command = [sys.executable, "-m", "fuzz", name, *words]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"fuzz: findings in {', '.join(failed)}: see {driver.OUT}", file=sys.stderr)
    return len(failed)


sys.exit(main())
