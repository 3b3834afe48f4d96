"""What commands take from the project's file: only what the command line leaves out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.running import run, ztfast
from tests.pages import ROOT
from ztfast.cli import VARIABLES

NETWORK = """id = "8056c2e21c000001"
[[member]]
address = "2233445566"
name = "anna"
ips = ["10.1.1.2"]
[[member]]
address = "3344556677"
name = "files"
ips = ["10.1.1.7"]
"""
SAID = "ztfast: settings from "
FRAME = ("--frame", "tcp anna > files:80 syn")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ztfast.toml").write_text(
        'rules = "ours.ztrules"\nnetwork = "net.toml"\nengine = "1.12"\nfail-on = "warning"\n'
    )
    (tmp_path / "net.toml").write_text(NETWORK)
    (tmp_path / "ours.ztrules").write_text("drop ethertype ipv4;\naccept;\n")
    (tmp_path / "other.ztrules").write_text("accept;\n")
    (tmp_path / "other.toml").write_text('rules = "other.ztrules"\n' + NETWORK)
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    return tmp_path


def test_rules_and_network(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ztfast("explain", *FRAME) == 0
    said = capfd.readouterr()
    assert "dropped by the sender: line 1" in said.out
    assert said.err.count(SAID) == 1
    assert f"{SAID}{Path('..', 'ztfast.toml')}\n" in said.err


def test_the_command_line_wins(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ztfast("explain", "../other.ztrules", *FRAME) == 0
    assert "accepted by both sides: line 1" in capfd.readouterr().out
    # rules of a network that is named on the command line come before the project's
    assert ztfast("explain", "--network", "../other.toml", *FRAME) == 0
    assert "accepted by both sides: line 1" in capfd.readouterr().out
    # what members lack is said once
    many = '", "'.join(f"10.1.2.{number}" for number in range(17))
    (project / "many.toml").write_text(NETWORK.replace('"]', f'", "{many}"]', 1))
    assert ztfast("explain", "--network", "../many.toml", *FRAME) == 0
    assert capfd.readouterr().err.count("ZT557") == 1
    # and one that has none is judged by the project's
    assert ztfast("explain", "--network", "../net.toml", *FRAME) == 0
    assert "dropped by the sender" in capfd.readouterr().out


def test_the_projects_rules_come_before_its_networks(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "ztfast.toml").write_text('rules = "ours.ztrules"\nnetwork = "other.toml"\n')
    assert ztfast("explain", *FRAME) == 0
    assert "dropped by the sender" in capfd.readouterr().out
    (project / "ztfast.toml").write_text('network = "other.toml"\n')
    assert ztfast("explain", *FRAME) == 0
    assert "accepted by both sides" in capfd.readouterr().out


def test_who_is_described_is_no_member_of_the_projects_network(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ztfast("explain", "--frame", "tcp 10.9.9.9 > 10.9.9.8:80", "--ipauth", "yes") == 0
    assert "dropped by the sender" in capfd.readouterr().out
    assert ztfast("explain", *FRAME, "--ipauth", "yes", "--network", "../net.toml") == 2


def test_check_takes_rules_and_severity(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "ours.ztrules").write_text("accept ipsrc 10.0.0.1/31;\n")
    assert ztfast("check", "--no-analysis") == 1
    assert "ZT111" in capfd.readouterr().out
    assert ztfast("check", "--no-analysis", "--fail-on", "error") == 0
    assert ztfast("check", "--no-analysis", "--quiet") == 1
    assert SAID in capfd.readouterr().err
    assert ztfast("check", "--quiet", "--no-analysis") == 1
    assert SAID not in capfd.readouterr().err
    assert ztfast("compile") == 0


def test_nothing_is_said_where_nothing_is_taken(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ztfast("explain-code", "ZT101") == 0
    assert ztfast("compile", "../other.ztrules") == 0
    assert capfd.readouterr().err == ""


def test_the_variable_names_another_file_or_none(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZTFAST_CONFIG", "")
    assert ztfast("explain", *FRAME) == 2
    (project / "else.toml").write_text('rules = "other.ztrules"\nnetwork = "net.toml"\n')
    monkeypatch.setenv("ZTFAST_CONFIG", str(project / "else.toml"))
    assert ztfast("explain", *FRAME) == 0
    assert "accepted by both sides" in capfd.readouterr().out
    monkeypatch.setenv("ZTFAST_CONFIG", str(project / "none.toml"))
    assert ztfast("explain", *FRAME) == 1
    assert "cannot be read" in capfd.readouterr().err


def test_a_misspelt_setting_is_an_error_with_its_line(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "ztfast.toml").write_text('engine = "1.12"\nrule = "ours.ztrules"\n')
    assert ztfast("check") == 1
    assert "ztfast.toml:2:0: error[ZT570]: `rule` is not a setting" in capfd.readouterr().err
    assert ztfast("fmt", "../other.ztrules") == 0  # which takes no setting


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r})\n"
    script += "import sys; sys.argv = ['ztfast', 'explain-code', 'ZT101']\n"
    script += "from ztfast.cli import main; main()"
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_every_variable_is_listed() -> None:
    """In `ztfast --help` and on the page, whatever the sources ask the environment for."""
    listed = {name for name, _ in VARIABLES}
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    used: set[str] = set()
    for path in (ROOT / "src" / "ztfast").rglob("*.py"):
        used |= set(re.findall(r"[\"'](ZTFAST_[A-Z_]+|NO_COLOR|NOTIFY_SOCKET)[\"']",
                               path.read_text(encoding="utf-8")))  # fmt: skip
    assert used == listed
    assert all(f"`{name}`" in page for name in listed)
    for name in re.findall(r"ZTFAST_[A-Z_]+", (ROOT / "setup.py").read_text(encoding="utf-8")):
        assert name in page
    shown = run("--help").stdout
    assert all(name in shown for name in listed)


def test_the_page_lists_those_of_building_and_tests() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    asked = re.compile(r"""environ(?:\.get\(|\[)\s*["'](ZTFAST_[A-Z_]+)["']""")
    used: set[str] = set()
    for pattern in ("setup.py", "tests/**/*.py", "bench/**/*.py"):
        for path in ROOT.glob(pattern):
            used.update(asked.findall(path.read_text(encoding="utf-8")))
    used.discard("ZTFAST_TEST_DEATHS")  # a test tells its own processes
    assert used
    assert sorted(name for name in used if f"`{name}" not in page) == []
