"""Standard streams that are closed, full, or speak an encoding that lacks a character."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest

from tests.capture.building import frame, pcap

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a POSIX shell closes the streams")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.pcap").write_bytes(pcap([frame(i, 60) for i in range(5)]))
    (tmp_path / "r.ztrules").write_text("accept;\n")
    return tmp_path


def shell(folder, words: str, **environment: str) -> tuple[int, bytes, str]:
    program = shlex.join([sys.executable, "-m", "ztfast"])
    done = subprocess.run(
        ["sh", "-c", f"exec {program} {words}"],
        cwd=folder,
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("filter r.ztrules - <&-", "<stdin>: byte 0: error[ZT503]: cannot be read"),
        ("filter r.ztrules a.pcap >&-", "ztfast: [Errno 9]"),
        ("filter r.ztrules a.pcap -w - >&-", "-: error[ZT601]: Bad file descriptor: 0 frames"),
        ("compile r.ztrules >&-", "ztfast: [Errno 9]"),
        ("--help >&-", "ztfast: [Errno 9]"),
    ],
)
def test_a_closed_stream_is_an_error_where_it_is_used(folder, words, said):
    status, _, error = shell(folder, words)
    assert status == 1
    assert said in error
    assert "Traceback" not in error
    assert "Exception ignored" not in error


def test_a_file_never_gets_a_closed_streams_number(folder):
    status, _, _ = shell(folder, "filter r.ztrules a.pcap -w out.pcap <&- 2>&- >figures")
    assert status == 0
    assert (folder / "figures").read_text().startswith("verdict")
    assert (folder / "out.pcap").read_bytes() == (folder / "a.pcap").read_bytes()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is not there")
def test_a_full_standard_output_is_one_line(folder):
    status, _, error = shell(folder, "filter r.ztrules a.pcap --count >/dev/full")
    assert (status, error) == (1, "ztfast: [Errno 28] No space left on device\n")


def test_characters_that_the_encoding_lacks(folder):
    words = "filter r.ztrules a.pcap"
    (folder / "r.ztrules").write_text(f"drop not {'ethertype ipv4 and not ' * 9}ethertype arp;\n")
    plain = shell(folder, words, PYTHONIOENCODING="utf-8")[1].decode()
    status, out, error = shell(folder, words, PYTHONIOENCODING="ascii")
    assert "…" in plain
    assert status == 0, error
    assert out.decode("ascii") == plain.replace("…", "?")


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text here")
def test_a_file_name_that_is_no_text_is_printed_as_its_bytes(folder):
    words = "filter r.ztrules a.pcap --split \"$(printf 'out\\377')\""
    status, out, error = shell(folder, words, PYTHONIOENCODING="utf-8:strict")
    assert status == 0, error
    assert b"out\xff/accepted.pcapng" in out
