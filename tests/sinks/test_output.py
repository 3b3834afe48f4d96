"""Outputs: whole files under their names, errors that say what was kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ztfast.errors import OutputError, UsageError
from ztfast.sinks.output import Output, refuse_unmakable, refuse_unopenable
from ztfast.sinks.signals import shielded


def test_the_name_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    output = Output(str(path))
    output.write([b"one", memoryview(b"two")], 2)
    assert path.read_bytes() == b"old"
    output.close()
    output.close()
    assert path.read_bytes() == b"onetwo"
    assert os.listdir(tmp_path) == ["a"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "a")
    output = Output(str(tmp_path / "link"))
    output.write([b"x"])
    output.close()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "far" / "a").read_bytes() == b"x"


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(OutputError, match="directory"):
        Output(str(tmp_path))


def test_many_views(tmp_path):
    output = Output(str(tmp_path / "a"))
    views = [bytes([i % 256]) * (i % 50) for i in range(5000)]
    output.write(views)
    output.close()
    assert (tmp_path / "a").read_bytes() == b"".join(views)
    assert output.written == sum(map(len, views))


def test_no_folder(tmp_path):
    with pytest.raises(OutputError, match="No such file") as caught:
        Output(str(tmp_path / "none" / "a"))
    assert caught.value.diagnostics[0].path.endswith("none/a")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_device():
    output = Output("/dev/full")
    with pytest.raises(OutputError, match=r"No space left.*0 frames"):
        output.write([b"x" * 10], 1)
    output.close()


def test_file_size_limit_keeps_whole_records(tmp_path):
    """A limit stands in for a full disk: the part keeps whole records, the name stays free."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "a"
    code = f"""
import resource, signal
from ztfast.sinks.output import Output
from ztfast.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
output = Output({str(path)!r})
try:
    for i in range(9):
        output.write([b"r" * 300], 1)
except OutputError as error:
    print(error)
output.close()
"""
    assert resource
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "3 frames (900 bytes) were written" in done.stdout
    (left,) = os.listdir(tmp_path)
    assert left.endswith(".part")
    assert left in done.stdout
    assert (tmp_path / left).read_bytes() == b"r" * 900


def test_closed_pipe(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    opened = threading.Event()

    def reader():
        with path.open("rb", buffering=0) as pipe:
            pipe.read(5)
        opened.set()

    thread = threading.Thread(target=reader)
    thread.start()
    output = Output(str(path))
    output.write([b"hello"], 1)
    thread.join()
    with pytest.raises(OutputError, match="Broken pipe: 1 frames"):
        output.write([b"x" * 100_000], 1)
    output.close()


def test_ctrl_c_waits_for_the_record():
    done = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(done)
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def interrupted(done):
    with shielded():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("whole")


def test_second_ctrl_c_gets_through():
    done = []
    with pytest.raises(KeyboardInterrupt):
        insist(done)
    assert done == ["first"]


def insist(done):
    with shielded():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("first")
        os.kill(os.getpid(), signal.SIGINT)
        done.append("never")


def test_what_cannot_be_opened_is_seen_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for good in ("-", os.devnull, str(tmp_path / "file"), str(tmp_path / "new.pcap")):
        refuse_unopenable(good)
    for bad, message in (
        (tmp_path, "is a folder"),
        (tmp_path / "none" / "x.pcap", "folder is not there"),
        (tmp_path / "file" / "x.pcap", "folder is not there"),
    ):
        with pytest.raises(UsageError, match=message) as caught:
            refuse_unopenable(str(bad))
        assert caught.value.diagnostics[0].code == "ZT601"
    refuse_unmakable(str(tmp_path / "a" / "b"))
    with pytest.raises(UsageError, match="is not a folder"):
        refuse_unmakable(str(tmp_path / "file" / "b"))
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file"]


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_folders_without_the_right_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # root may do everything
    with pytest.raises(UsageError, match="cannot be written: Permission denied"):
        refuse_unopenable(str(tmp_path / "x.pcap"))
    with pytest.raises(UsageError, match=f"{tmp_path}: Permission denied"):
        refuse_unmakable(str(tmp_path / "new"))
