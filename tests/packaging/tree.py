"""`python -m tests.packaging.tree FOLDER`: lays out what the suite reads.

Contract: the files are those that pyproject.toml gives cibuildwheel as `test-sources`, so that
`make test-all` and .ci/package run the suite as the wheels' builds do: against what is installed.
FOLDER is made anew; nothing that was built is copied.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
BUILT = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "*.egg-info")


def sources() -> list[str]:
    """Files and folders, relative to the root."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        found: list[str] = tomllib.load(file)["tool"]["cibuildwheel"]["test-sources"]
    return found


def lay_out(target: Path) -> None:
    """Copy them to `target`."""
    if target.exists():
        shutil.rmtree(target)
    for name in sources():
        source = ROOT / name
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=BUILT)
        else:
            shutil.copy2(source, target / name)


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]))
