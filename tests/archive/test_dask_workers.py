"""A real Dask cluster: killed workers change nothing, and a cluster that is gone is said so."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.archive.running import RANDOM_RULES, captures_in, filtered
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
