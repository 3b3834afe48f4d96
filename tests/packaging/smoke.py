"""What an installed wheel does with nothing beside it: `python smoke.py BACKEND SOURCE`.

Contract: fails where `ztfast` is not an installed one, or its backend not BACKEND; else
prints figures and verdicts that must be the same with every wheel (.ci/package compares).
It is run in an environment that holds the wheel and its own requirements only.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

CASES = 400


def command(source: Path, *words: str) -> str:
    """What the installed `ztfast` prints, run where nothing of the source is."""
    program = Path(sys.executable).with_name("ztfast")
    folder = source / "examples"
    done = subprocess.run(
        [program, *words], cwd=folder, capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout


def cases(source: Path, backend: str) -> int:
    """How many cases of the official engine were evaluated; exits at the first that differs."""
    from ztfast import evaluate_case

    with gzip.open(source / "tests/data/vectors/eval-1.14.jsonl.gz", "rt") as lines:
        found = [json.loads(line) for line in islice(lines, CASES)]
    for case in found:
        out = evaluate_case(case["in"], backend)
        wanted = dict(case["out"])
        if backend != "reference":
            out["log"] = wanted["log"] = None
        out.pop("id", None)
        wanted.pop("id", None)
        if out != wanted:
            sys.exit(f"{case}: {out}")
    return len(found)


def main(backend: str, source: Path) -> None:
    """Check the installation, then print what it makes of the example and the cases."""
    import ztfast

    place = Path(str(ztfast.__file__))
    if "site-packages" not in place.parts or source in place.parents:
        sys.exit(f"this is not an installed wheel: {place}")
    if ztfast.backend != backend:
        sys.exit(f"the backend is {ztfast.backend!r}, not {backend!r}")
    print(command(source, "filter", "office.ztrules", "office.pcap", "--network", "office.toml"))
    print(command(source, "compile", "office.ztrules"))
    judge = ztfast.Filter(ztfast.load(source / "examples" / "office.ztrules"))
    with ztfast.open_capture(source / "examples" / "office.pcap") as capture:
        for packets in capture:
            ends = packets.offsets + packets.captured
            frames = [
                bytes(packets.buffer[a:b]) for a, b in zip(packets.offsets, ends, strict=True)
            ]
            print("".join("01"[judge(frame)] for frame in frames))
    print(cases(source, backend), "cases of the official engine")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).resolve())
