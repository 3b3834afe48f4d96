"""Mutated captures through the whole command, on both backends: figures or an error, the same.

ZTFAST_SEED and ZTFAST_ROUNDS choose another run; the seed is in every failure.
"""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests import pages
from tests.capture import building
from tests.cli.running import ztfast
from tests.needs import BACKENDS, needs_loops
from tests.seeds import rounds, seed
from ztfast import dispatch

SEED = seed(5)
ROUNDS = rounds(150)
RULES = """
drop chr tcp_syn and not chr tcp_ack;
accept ipprotocol udp and dport 53;
tee 40 8e30f50a25 ethertype ipv6 and icmp 128 -1;
redirect 6b4d5e6f70 ipsrc 10.0.0.0/8;
accept macsrc 01:02:03:04:05:06 or vlan 7 or iptos 3 1-2 or sport 1-1023;
break framesize 100-200;
accept random 0.5;
drop;
"""
# Judged, and counted, while records are being found: no draws, no copies, nothing of members.
PLAIN = """
drop chr tcp_syn and not chr tcp_ack;
accept ipprotocol udp and dport 53;
accept ethertype arp or framesize 100-200;
drop;
"""
LARGEST = 20_000
NASTY = (0, 1, 0x40000, 0x40001, 0x7FFFFFFF, 0xFFFFFFFF)
FLAGS: list[list[str]] = [
    [], ["--resync"], ["--vlan", "decode"], ["--side", "in"], ["--engine", "1.12"], ["--merge"],
]


def corpus() -> list[bytes]:
    """Small captures of every format and link type, also compressed."""
    paths = sorted(path for path in building.DATA.rglob("*.pcap*") if path.is_file())
    found = [path.read_bytes() for path in paths if path.stat().st_size <= LARGEST]
    found.append((pages.EXAMPLES / "office.pcap").read_bytes())
    return found


def mutated(data: bytes, draw: random.Random) -> bytes:
    """A few bytes changed, cut out, doubled, or replaced by lengths that hurt."""
    out = bytearray(data)
    for _ in range(draw.randrange(1, 6)):
        at = draw.randrange(len(out) + 1)
        kind = draw.randrange(6)
        if kind == 0:
            out[at : at + 1] = draw.randbytes(1)
        elif kind == 1:
            out[at : at + 4] = draw.choice(NASTY).to_bytes(4, "little")
        elif kind == 2:
            del out[at : at + draw.randrange(1, 40)]
        elif kind == 3:
            out[at:at] = out[at : at + draw.randrange(1, 200)]
        elif kind == 4:
            del out[at:]
        elif out:  # the headers at the start hurt most
            place = draw.randrange(min(80, len(out)))
            out[place] = draw.randrange(256)
    return bytes(out)


def outcome(*words: Any) -> tuple[int, Any, str]:
    """(exit status, figures, what standard error says) of a run in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = ztfast("filter", *words, "--json")
    return status, json.loads(out.getvalue() or "null"), err.getvalue()


def test_mutated_captures(tmp_path: Path) -> None:
    print(f"seed {SEED}, rounds {ROUNDS}")
    draw = random.Random(SEED)
    originals = corpus()
    assert len(originals) > 20
    rules, path = tmp_path / "rules", tmp_path / "capture"
    for number in range(ROUNDS):
        rules.write_text(draw.choice((RULES, PLAIN)))
        path.write_bytes(mutated(draw.choice(originals), draw))
        flags = draw.choice(FLAGS)
        words = [rules, path, *([path] if "--merge" in flags else []), *flags]
        results = {}
        for backend in BACKENDS:
            folder = tmp_path / f"{backend}-out"
            written = ["--split", folder, "--clean", "--table", tmp_path / f"{backend}.npy"]
            written += ["-w", tmp_path / f"{backend}.pcapng"]
            results[backend] = outcome(*words, "--backend", backend, *written)
            status, found, err = results[backend]
            where = f"seed {SEED}, round {number}, {flags}, {path.read_bytes()!r}"
            assert status in (0, 1), where
            assert "Traceback" not in err, where
            assert status == 0 or "error[" in err, where
            if found is not None:
                found.pop("files")
                whole = found["complete"] and not found["unjudged"] and not found["skipped_bytes"]
                assert (status == 0) == whole, where
        assert all(result == results["reference"] for result in results.values()), where
        counted = outcome(*words)  # counts frames while it finds them
        if counted[1] is not None:
            counted[1].pop("files")
        assert counted == results["reference"], where


@pytest.mark.slow
@needs_loops
@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("text", [RULES, PLAIN], ids=["rules", "plain"])
def test_every_capture_without_mutation(tmp_path: Path, text: str, threads: str) -> None:
    rules, path = tmp_path / "rules", tmp_path / "capture"
    rules.write_text(text)
    assert len(corpus()) > 10
    for data in corpus():
        path.write_bytes(data)
        one = outcome(rules, path, "--threads", threads)
        assert one == outcome(rules, path, "--backend", "reference")


def test_a_long_stream_needs_little_memory(tmp_path: Path) -> None:
    """400 MB through a pipe, compressed and not: at most 150 MB above the interpreter."""
    rules = tmp_path / "rules"
    rules.write_text("accept ethertype ipv4 and ipprotocol tcp and dport 80;\ndrop;\n")
    size = 10_000 if dispatch.core is None else 1000  # the reference takes its time for a frame
    block = building.pcap([random.Random(7).randbytes(size)] * (4_000_000 // size))
    code = (
        "import resource, sys\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "from ztfast.cli import main\n"
        "try: main()\n"
        "except SystemExit as done: assert not done.code\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "filter", str(rules), "-", "-w", os.devnull]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(block[:24])
        for _ in range(100):
            process.stdin.write(block[24:])
        process.stdin.close()
        grown = int(process.stderr.read().split()[-1])
    assert process.returncode == 0
    assert grown < 150 * 1024  # KiB
