"""`python -m tests.differential --seed N --count N`: compare both evaluators for as long as wanted.

Exit 1 at the first difference, with the shrunk case as a vector on standard output.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time

from tests.differential.compare import difference
from tests.differential.generate import random_case
from tests.differential.rounds import engine_difference, failure_text


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="where the rounds begin")
    parser.add_argument("--count", type=int, default=2000, help="rounds; 0: without end")
    options = parser.parse_args()
    first = options.seed * 1_000_000
    rounds = itertools.count(first) if options.count == 0 else range(first, first + options.count)
    begun, frames = time.monotonic(), 0
    number = 0
    for number, seed in enumerate(rounds, 1):
        case = random_case(seed)
        frames += len(case.rows)
        found = difference(case)
        if found is not None:
            print(failure_text(seed, case, found))
            return 1
        if seed % 4 == 0 and (text := engine_difference(seed)) is not None:
            print(f"seed {seed}: {text}")
            return 1
        if number % 500 == 0:
            took = time.monotonic() - begun
            print(f"{number:,} rounds, {frames:,} frames, {took:.0f} s", file=sys.stderr)
    print(f"no difference in {number:,} rounds from {first}, {frames:,} frames")
    return 0


if __name__ == "__main__":
    sys.exit(main())
