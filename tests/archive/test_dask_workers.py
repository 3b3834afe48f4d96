"""A real Dask cluster: killed workers change nothing, and a cluster that is gone is said so."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.archive.running import RANDOM_RULES, Here, captures_in, filtered
from tests.needs import needs
from ztfast.archive import plan
from ztfast.archive.dask_workers import DaskWorkers
from ztfast.engine.engine import Engine
from ztfast.errors import UsageError
from ztfast.lang import compile_text

pytestmark = [needs("distributed"), pytest.mark.filterwarnings("ignore")]
ENGINE = Engine(compile_text(RANDOM_RULES.replace("random 0.3", "framesize 0-40")))


@pytest.fixture
def cluster() -> Iterator[Any]:
    import distributed

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as made:
        yield made


def test_killed_workers_then_no_cluster(cluster: Any, tmp_path: Path) -> None:
    import distributed

    caps, kills = captures_in(tmp_path / "caps", 6, frames=300), [0]
    expected = filtered(ENGINE, caps)
    with distributed.Client(cluster, set_as_default=False) as client:

        def kill(frames: int, done: int) -> None:
            """All workers, after the first segments."""
            kills[0] += 1
            if kills[0] in (1, 3):
                for pid in client.run(os.getpid).values():
                    os.kill(pid, signal.SIGKILL)

        result = plan([caps], ENGINE, out=str(tmp_path / "out")).run(
            DaskWorkers(client=client), kill
        )
        assert result.complete
        assert {name: result.figures()[name] for name in expected} == expected

        with pytest.raises(UsageError, match="no absolute path"):
            list(DaskWorkers(client=client).outcomes(plan([caps], ENGINE, out="out")._work, []))

        cluster.scale(0)
        job = plan([caps], ENGINE, out=str(tmp_path / "other"))
        lost = job.run(DaskWorkers(client=client, patience=2))
        assert lost.problems[0].code == "ZT615"
        missing = {problem.path for problem in lost.problems[1:]}
        assert missing == {str(path) for path in caps.iterdir()}
        assert (lost.complete, lost.failed) == (False, True)
        assert "no workers" in lost.problems[0].message
        cluster.scale(1)
        again = plan([caps], ENGINE, out=str(tmp_path / "other"))
        assert again.run(DaskWorkers(client=client), resume=True).complete


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, Any]]:
    """A scheduler and a worker as programs: its address, and its process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    host = ["--host", "127.0.0.1", "--no-dashboard"]
    commands = [
        ["dask_scheduler", *host, "--port", address.rpartition(":")[2]],
        ["dask_worker", address, *host, "--nthreads", "1", "--no-nanny"],
    ]
    with (tmp_path / "log").open("wb") as log:
        begun = [
            subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{name}", *words], stdout=log, stderr=log
            )
            for name, *words in commands
        ]
    yield address, begun[0]  # whoever connects waits for them
    for process in begun:
        process.kill()
        process.wait()


def test_a_killed_scheduler_is_said_and_the_job_goes_on_elsewhere(
    scheduler: tuple[str, Any], tmp_path: Path
) -> None:
    caps = captures_in(tmp_path / "caps", 4, frames=300)
    address, process = scheduler

    def kill(frames: int, done: int) -> None:
        process.kill()
        process.wait()

    workers = DaskWorkers(address)
    lost = plan([caps], ENGINE, out=str(tmp_path / "out")).run(workers, kill)
    workers.close()
    assert (lost.problems[0].code, lost.failed) == ("ZT615", True)
    assert "scheduler is gone" in lost.problems[0].message
    again = plan([caps], ENGINE, out=str(tmp_path / "out")).run(Here(), resume=True)
    expected = filtered(ENGINE, caps)
    assert {name: again.figures()[name] for name in expected} == expected
