"""A real Ray on this machine: killed workers change nothing, and a job goes on elsewhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archive.running import RANDOM_RULES, Here, captures_in, filtered
from tests.needs import needs
from ztfast.archive import plan
from ztfast.archive.ray_workers import RayWorkers
from ztfast.engine.engine import Engine
from ztfast.errors import UsageError
from ztfast.lang import compile_text

pytestmark = [needs("ray"), pytest.mark.filterwarnings("ignore")]
ENGINE = Engine(compile_text(RANDOM_RULES.replace("random 0.3", "framesize 0-40")))


def own_pid() -> int:
    return os.getpid()


@pytest.fixture(scope="module")
def workers() -> Iterator[RayWorkers]:
    import ray

    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    ray.init(address="local", num_cpus=2, **quiet)  # one of its own, whatever else runs here
    made = RayWorkers(patience=2)
    yield made
    made.close()


def test_killed_workers_and_a_job_that_was_broken_off(workers: RayWorkers, tmp_path: Path) -> None:
    import ray

    caps, kills = captures_in(tmp_path / "caps", 6, frames=300), [0]
    expected = filtered(ENGINE, caps)

    def kill(frames: int, done: int) -> None:
        """The workers that answer now."""
        kills[0] += 1
        if kills[0] in (1, 3):
            asked = ray.remote(own_pid)
            for pid in set(ray.get([asked.remote() for _ in range(4)])):
                os.kill(pid, signal.SIGKILL)

    result = plan([caps], ENGINE, out=str(tmp_path / "out")).run(workers, kill)
    assert result.complete
    assert {name: result.figures()[name] for name in expected} == expected

    with pytest.raises(UsageError, match="no absolute path"):
        list(workers.outcomes(plan([caps], ENGINE, out="out")._work, []))

    def stop(frames: int, done: int) -> None:
        raise KeyboardInterrupt

    broken = plan([caps], ENGINE, out=str(tmp_path / "other")).run(workers, stop)
    assert broken.interrupted
    again = plan([caps], ENGINE, out=str(tmp_path / "other")).run(Here(), resume=True)
    assert {name: again.figures()[name] for name in expected} == expected


def test_a_segment_that_kills_its_workers_fails_by_name(
    workers: RayWorkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ztfast.archive import ray_workers

    caps = captures_in(tmp_path / "caps", 2, frames=50)
    own = os.getpid()
    judged = ray_workers.attempted

    def deadly(work: object, segment: object) -> object:
        if str(segment).endswith("c1.pcap") and os.getpid() != own:
            os.kill(os.getpid(), signal.SIGKILL)
        return judged(work, segment)  # type: ignore[arg-type]

    monkeypatch.setattr(ray_workers, "attempted", deadly)
    result = plan([caps], ENGINE, out=str(tmp_path / "out")).run(workers)
    (problem,) = result.problems
    assert problem.path == str(caps / "c1.pcap")
    assert "submitted 4 times" in problem.message
    assert (result.done, result.segments) == (1, 2)
