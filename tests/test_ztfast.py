"""The package and its public names: what is not needed is not loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

OPTIONAL = {
    *("zstandard", "lz4", "isal", "pyarrow", "z3", "yaml", "scapy", "dpkt", "pcapy", "pandas"),
    "polars",
}


def loaded(*arguments: str) -> set[str]:
    """The modules that a fresh interpreter has loaded behind a program."""
    code = f"{arguments[0]}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments[1:]],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return {name.split(".")[0] for name in done.stdout.split()}


def test_import_ztfast_is_lean() -> None:
    assert not loaded("import ztfast") & {"click", "rich", "numpy", *OPTIONAL}


def test_version_is_lean() -> None:
    code = (
        "import contextlib, io\n"
        "from ztfast.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main()"
    )
    assert not loaded(code, "--version") & {"rich", *OPTIONAL}


def test_the_public_names_need_no_command_line() -> None:
    names = "import ztfast\nfor name in ztfast.__all__: getattr(ztfast, name)"
    assert not loaded(names) & {"click", "rich", *OPTIONAL}


def test_filter_is_lean(tmp_path: Path) -> None:
    """A plain run loads neither optional libraries nor what other commands need."""
    from tests.capture import building

    (tmp_path / "r").write_text("accept;\n")
    (tmp_path / "c").write_bytes(building.pcap([bytes(60)]))
    code = (
        "import contextlib, io, sys\n"
        "from ztfast.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main()\n"
        "print(*(name.replace('ztfast.', '') for name in sys.modules if 'ztfast.' in name))"
    )
    found = loaded(code, "filter", str(tmp_path / "r"), str(tmp_path / "c"))
    assert not found & {"rich", "proof", "explain", "suite", *OPTIONAL}
    assert not found & {"subprocess", "ipaddress"}  # for git, and for rules with addresses
