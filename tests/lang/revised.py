"""A repository with one commit, for tests of revisions."""

from __future__ import annotations

import subprocess
from pathlib import Path


def repository(folder: Path, text: str) -> None:
    """Make one of `folder`: sub/rules.ztrules is committed with that text."""
    (folder / "sub").mkdir()
    (folder / "sub" / "rules.ztrules").write_text(text)
    for command in (
        ["init", "-q"],
        ["add", "sub/rules.ztrules"],
        ["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "one"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
