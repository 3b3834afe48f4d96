"""Shell completion: commands, options, choices, files; and bash with the installed script."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT

# `python -m ztfast` would be completed as `python`: the program has to have its name
PROGRAM = "import sys; sys.argv[0] = 'ztfast'; from ztfast.cli import main; main()"


def offered(*words: str) -> list[str]:
    """What a shell is told for a command line whose last word is begun."""
    environment = {
        **os.environ,
        "_ZTFAST_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("ztfast", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""  # it would stand in the middle of what is typed
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("fi",), ["plain,filter"]),
        (("check", "--fail"), ["plain,--fail-on"]),
        (("check", "--fail-on", "w"), ["plain,warning"]),
        (("check", "of"), ["file,of"]),
        (("filter", "r.ztrules", "--network", "ne"), ["file,ne"]),
        (("filter", "r.ztrules", "day"), ["file,day"]),
        (("filter", "r.ztrules", "--split", "o"), ["dir,o"]),
        (("diff", "o"), ["file,o"]),
        (("explain", "--frame", "tcp"), []),
        (("no-command", "zz"), []),
    ],
)
def test_offered(words: tuple[str, ...], expected: list[str]) -> None:
    assert offered(*words) == expected


def test_bash_with_the_installed_script(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None or sys.platform == "win32":
        pytest.skip("no bash")
    program = tmp_path / "ztfast"
    program.write_text(f"#!{sys.executable}\n{PROGRAM}\n")
    program.chmod(0o755)
    asked = (
        f". {ROOT / 'completions' / 'ztfast'}\n"
        "COMP_WORDS=(ztfast explain-); COMP_CWORD=1\n"
        "_ztfast_completion ztfast; echo ${COMPREPLY[@]}\n"
        "complete -p ztfast"
    )
    done = subprocess.run(
        [bash, "-c", asked],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if "4.4" in done.stderr:
        pytest.skip("a bash before 4.4")
    assert done.stdout.splitlines()[0] == "explain-code", done.stderr
    assert "_ztfast_completion ztfast" in done.stdout
