"""Results in an object store: a real S3 server's conditional put, and stores that have none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.archive.running import RANDOM_RULES, Here, attempt_at, captures_in, filtered
from tests.needs import needs
from ztfast.archive import plan
from ztfast.archive.local import LocalWorkers
from ztfast.archive.remote_store import RemoteStore
from ztfast.engine.engine import Engine
from ztfast.errors import OutputError, UsageError
from ztfast.lang import compile_text

pytestmark = needs("fsspec")
ENGINE = Engine(compile_text(RANDOM_RULES))
PLAIN = Engine(compile_text("drop framesize 0-80; accept;"))


@pytest.fixture
def memory() -> Iterator[Any]:
    import fsspec

    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def test_the_first_attempt_wins_and_nothing_of_others_stays(memory: Any) -> None:
    store = RemoteStore("memory://out/")
    first, second = attempt_at(store, "one"), attempt_at(store, "two")
    assert store.manifest("s") is None
    assert store.commit(second, "s", {"n": 2})
    assert not store.commit(first, "s", {"n": 1})
    manifest = store.manifest("s")
    assert manifest is not None
    assert manifest["n"] == 2
    files = [name for name in memory.find("/out") if not name.endswith("manifest.json")]
    assert files == [f"/out/{manifest['at']}/split/x"]
    assert memory.cat_file(files[0]) == b"two"
    assert not Path(first).exists()
    assert not Path(second).exists()


def test_a_put_whose_answer_was_lost_has_won(memory: Any) -> None:
    store = RemoteStore("memory://out")

    class Repeating:
        """Tries again what went well."""

        def __getattr__(self, name: str) -> Any:
            return getattr(memory, name)

        def pipe_file(self, path: str, data: bytes, mode: str = "overwrite") -> None:
            memory.pipe_file(path, data, mode=mode)
            memory.pipe_file(path, data, mode=mode)

    store._system = Repeating()
    store.write_plan({"n": 1})
    assert store.commit(attempt_at(store, "one"), "s", {})
    manifest = store.manifest("s")
    assert manifest is not None
    assert memory.cat_file(f"/out/{manifest['at']}/split/x") == b"one"


def test_what_killed_workers_left_is_removed_at_the_end(memory: Any) -> None:
    store = RemoteStore("memory://out")
    memory.pipe_file("/out/segments/s/0123456789ab/split/x", b"half")
    memory.pipe_file("/out/segments/other/0123456789ab/x", b"of a segment that is not committed")
    store.commit(attempt_at(store, "one"), "s", {})
    store.tidy()
    assert len(memory.find("/out/segments/s")) == 2
    assert len(memory.find("/out/segments/other")) == 1


def test_a_store_without_a_conditional_put_is_refused(memory: Any) -> None:
    store = RemoteStore("memory://out")

    class Careless:
        """Puts whatever stands there."""

        def __getattr__(self, name: str) -> Any:
            return getattr(memory, name)

        def pipe_file(self, path: str, data: bytes, mode: str = "") -> None:
            memory.pipe_file(path, data)

    store._system = Careless()
    with pytest.raises(UsageError, match="takes no conditional put"):
        store.write_plan({})
    assert memory.find("/out") == []


def test_a_library_without_one_is_refused(memory: Any) -> None:
    store = RemoteStore("memory://out")

    class Old:
        """Of before there was a mode."""

        def __getattr__(self, name: str) -> Any:
            return getattr(memory, name)

        def pipe_file(self, path: str, data: bytes) -> None:
            memory.pipe_file(path, data)

    store._system = Old()
    with pytest.raises(OutputError, match="mode"):
        store.write_plan({})


class Answered(Exception):
    """What botocore raises, of which s3fs makes an OSError."""

    def __init__(self, code: str) -> None:
        self.response = {"Error": {"Code": code}}


class Refusing:
    """Refuses so many puts with a code, as a server does that does not say which condition."""

    def __init__(self, system: Any, code: str, times: int) -> None:
        self._system, self._code, self._times = system, code, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._system, name)

    def pipe_file(self, path: str, data: bytes, mode: str = "") -> None:
        self._times -= 1
        if self._times >= 0:
            raise OSError(22, "refused") from Answered(self._code)
        self._system.pipe_file(path, data, mode=mode)


def test_a_precondition_of_no_name_that_failed(memory: Any) -> None:
    store = RemoteStore("memory://out")
    store._system = Refusing(memory, "PreconditionFailed", 1)
    assert store._put_first("x", b"1") is False
    assert store._put_first("x", b"2") is True


def test_a_put_that_meets_another_is_tried_again(memory: Any) -> None:
    store = RemoteStore("memory://out")
    store._system = Refusing(memory, "ConditionalRequestConflict", 3)
    assert store._put_first("x", b"1") is True
    assert store._put_first("x", b"2") is False
    for code in ("ConditionalRequestConflict", "SlowDown"):
        store._system = Refusing(memory, code, 9)
        with pytest.raises(OSError, match="refused"):
            store._put_first("y", b"1")


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b"\xff"])
def test_a_damaged_manifest_is_refused_by_name(text: bytes, memory: Any) -> None:
    memory.pipe_file("/out/segments/s/manifest.json", text)
    with pytest.raises(OutputError, match="manifest"):
        RemoteStore("memory://out").manifest("s")


def test_a_job_in_memory_is_resumed_and_refused(memory: Any, tmp_path: Path) -> None:
    captures_in(tmp_path / "caps", frames=100)

    def stop(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    def job(engine: Engine = ENGINE) -> Any:
        return plan([tmp_path / "caps"], engine, out="memory://job", outputs={"dropped"})

    assert job().run(Here(meddle=stop)).done == 2
    result = job().run(Here(), resume=True)
    assert result.complete
    for row in result.captures:
        assert memory.info(f"/job/{row['path']}")["size"] == row["size"]
    assert json.loads(memory.cat_file("/job/result.json")) == result.figures()
    with pytest.raises(UsageError, match="holds an earlier job"):
        job().run(Here())
    with pytest.raises(UsageError, match="another seed"):
        job(Engine(ENGINE.policy, seed=3)).run(Here(), resume=True)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket of a server on loopback, which its workers find by the environment."""
    import logging

    import s3fs
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem(use_listings_cache=False)
    system.mkdir("bucket")
    yield system
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@needs("s3fs", "moto")
@pytest.mark.filterwarnings("ignore")
def test_a_whole_job_on_a_server(bucket: Any, tmp_path: Path) -> None:
    captures_in(tmp_path / "caps", frames=200)
    for path in (tmp_path / "caps").iterdir():
        bucket.put_file(str(path), f"bucket/caps/{path.name}")

    def job() -> Any:
        return plan(["s3://bucket/caps"], PLAIN, out="s3://bucket/out", outputs={"dropped"})

    result = job().run(LocalWorkers(2))
    expected = filtered(PLAIN, tmp_path / "caps")
    assert result.problems == []
    assert {name: result.figures()[name] for name in expected if name != "files"} == {
        name: value for name, value in expected.items() if name != "files"
    }
    before = {name: bucket.info(name)["ETag"] for name in bucket.find("bucket/out/segments")}
    assert len(before) == 6
    for row in result.captures:
        assert bucket.info(f"bucket/out/{row['path']}")["size"] == row["size"]
    assert job().run(Here(), resume=True).figures() == result.figures()
    bucket.invalidate_cache()
    assert {name: bucket.info(name)["ETag"] for name in before} == before

    store = RemoteStore("s3://bucket/race")
    with ThreadPoolExecutor(4) as pool:
        folders = [attempt_at(store, str(number)) for number in range(8)]
        won = list(pool.map(lambda folder: store.commit(folder, "s", {}), folders))
    assert won.count(True) == 1
    bucket.invalidate_cache()
    assert len(bucket.find("bucket/race/segments")) == 2

    with pytest.raises(OutputError, match="cannot be written"):
        RemoteStore("s3://no-such-bucket/out").write_plan({})
