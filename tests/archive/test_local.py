"""Workers that die: their segment is given to another, or fails by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.archive.running import RANDOM_RULES, captures_in, filtered
from ztfast.archive import plan
from ztfast.archive.local import LocalWorkers
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

# imported by every worker: it dies where a file in the folder says so
_DEADLY = """
import os, signal
def _die(where, name=None):
    folder = os.environ["ZTFAST_TEST_DEATHS"]
    for death in sorted(os.listdir(folder)):
        if death.startswith(where) and (name is None or name in death):
            try:
                os.unlink(os.path.join(folder, death))
            except FileNotFoundError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
import ztfast.archive.store as _store
_commit = _store.Store.commit
def commit(self, folder, name, manifest):
    _die("before", name.split("-", 1)[1])
    found = _commit(self, folder, name, manifest)
    _die("after", name.split("-", 1)[1])
    return found
_store.Store.commit = commit
"""


@pytest.fixture
def deaths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder: a file `before-N-c1.pcap` in it kills a worker before it commits that segment."""
    site, folder = tmp_path / "site", tmp_path / "deaths"
    site.mkdir()
    folder.mkdir()
    (site / "sitecustomize.py").write_text(_DEADLY)
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(site), before))))
    monkeypatch.setenv("ZTFAST_TEST_DEATHS", str(folder))
    return folder


ENGINE = Engine(compile_text(RANDOM_RULES.replace("random 0.3", "framesize 0-40")))


@pytest.mark.parametrize(
    "files",
    [
        ["before-1-c1.pcap"],
        ["after-1-c1.pcap"],
        ["before-1-c1.pcap", "before-2-c1.pcap"],
        ["before-1-c0.pcap", "before-1-c1.pcap", "before-1-c2.pcap", "after-1-c0.pcap"],
    ],
    ids=["before the commit", "after it", "twice", "all at once"],
)
def test_killed_workers_change_nothing(files: list[str], deaths: Path, tmp_path: Path) -> None:
    caps = captures_in(tmp_path / "caps", frames=300)
    for name in files:
        (deaths / name).touch()
    result = plan([caps], ENGINE, out=str(tmp_path / "out")).run(LocalWorkers(2))
    assert not list(deaths.iterdir())
    assert result.complete
    expected = filtered(ENGINE, caps)
    assert {name: result.figures()[name] for name in expected} == expected
    assert not (tmp_path / "out" / "attempts").exists()


def test_a_segment_that_kills_every_worker_fails_by_name(deaths: Path, tmp_path: Path) -> None:
    caps = captures_in(tmp_path / "caps", frames=300)
    for number in range(3):
        (deaths / f"before-{number}-c1.pcap").touch()
    result = plan([caps], ENGINE, out=str(tmp_path / "out")).run(LocalWorkers(1))
    (problem,) = result.problems
    assert problem.path == str(caps / "c1.pcap")
    assert "3 workers died of it, the last by SIGKILL" in problem.message
    assert (result.done, result.segments) == (2, 3)
    again = plan([caps], ENGINE, out=str(tmp_path / "out")).run(LocalWorkers(1), resume=True)
    assert {name: again.figures()[name] for name in filtered(ENGINE, caps)} == filtered(
        ENGINE, caps
    )


_DRIVER = """
import os, signal, sys
from ztfast.archive import plan
from ztfast.archive.local import LocalWorkers
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text
engine = Engine(compile_text(sys.argv[1]))
def killed(frames, done):
    os.kill(os.getpid(), signal.SIGKILL)
plan([sys.argv[2]], engine, out=sys.argv[3]).run(LocalWorkers(1), killed)
"""


def test_a_killed_driver_is_resumed(tmp_path: Path) -> None:
    caps, out = captures_in(tmp_path / "caps", frames=300), tmp_path / "out"
    rules = RANDOM_RULES.replace("random 0.3", "framesize 0-40")
    words = [sys.executable, "-c", _DRIVER, rules, str(caps), str(out)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    result = plan([caps], ENGINE, out=str(out)).run(LocalWorkers(1), resume=True)
    expected = filtered(ENGINE, caps)
    assert {name: result.figures()[name] for name in expected} == expected


def test_ctrl_c_ends_the_workers(tmp_path: Path) -> None:
    caps = captures_in(tmp_path / "caps", frames=300)

    def stop(frames: int, done: int) -> None:
        raise KeyboardInterrupt

    workers = LocalWorkers(2)
    result = plan([caps], ENGINE, out=str(tmp_path / "out")).run(workers, stop)
    assert result.interrupted
    assert result.done == 1
