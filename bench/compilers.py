"""clang against gcc: the instructions of the module that each builds, on the guard's inputs.

`make bench-check` runs it: the baseline module is built by clang into a temporary folder, never in
place, and counted as gcc's is.  Where clang is missing, or gcc did not build the module, that is
said and nothing is judged.  Tested by tests/bench/test_compilers.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.guard import ROOT, SOURCE, Counts, compiler, counted

BOUND = 1.2  # times gcc's instructions


def clang_is_worse(built: str, gcc: Counts) -> bool:
    """Is what clang builds over the bound for any input?  Prints all of them.

    built: what `bench.guard.compiler` says of the module in place, and `gcc` its figures.
    """
    if " gcc " not in built:
        print(f"bench-check: clang is not compared: gcc did not build the module, but {built}")
        return False
    if shutil.which("clang") is None:
        print("bench-check: clang is not compared: not installed (Debian: apt install clang)")
        return False
    with tempfile.TemporaryDirectory() as folder:
        source = package_of_clang(Path(folder))
        clang = counted(source)
        print(f"built by {compiler(source)}\n{table(gcc, clang)}")
    wrong = over(gcc, clang)
    if wrong:
        print(f"bench-check: clang over {BOUND}× gcc:\n" + "\n".join(wrong), file=sys.stderr)
    return bool(wrong)


def over(gcc: Counts, clang: Counts) -> list[str]:
    """The inputs for which clang's module takes more than the bound allows."""
    return [
        f"{name}: {count:,} instructions, {count / gcc[name]:.2f}×"
        for name, count in clang.items()
        if count > gcc[name] * BOUND
    ]


def table(gcc: Counts, clang: Counts) -> str:
    """The figures as text: clang's instructions for each of gcc's."""
    return "\n".join(f"{name:28} {clang[name] / gcc[name]:6.2f}× gcc" for name in gcc)


def package_of_clang(folder: Path) -> Path:
    """A folder whose package has clang's baseline module, and all else from here."""
    command = [sys.executable, "setup.py", "-q", "build_ext"]
    places = ["--build-lib", str(folder / "lib"), "--build-temp", str(folder / "objects")]
    done = subprocess.run(
        command + places,
        cwd=ROOT,
        env={**os.environ, "CC": "clang", "ZTFAST_BASELINE_ONLY": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"bench-check: clang cannot build it\n{done.stderr[-2000:]}")
    package = folder / "lib" / "ztfast"
    for path in (SOURCE / "ztfast").iterdir():
        if path.suffix not in (".so", ".pyd"):
            (package / path.name).symlink_to(path)
    return package.parent
