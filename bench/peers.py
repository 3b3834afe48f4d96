"""What others do with the same frames: libpcap's interpreter, numpy, dpkt, whole programs.

Each peer answers with the number of accepted frames, which the benchmarks compare with ours.
A peer that is not installed is None, and the results say so.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SOURCE = Path(__file__).parent / "peers" / "bpf_loop.c"
Count = Callable[[], int]


@lru_cache
def _library() -> Any:
    """The compiled loop over libpcap, or None without a compiler or libpcap's headers."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    target = Path(tempfile.mkdtemp()) / "bpf_loop.so"
    command = [compiler, "-O3", "-shared", "-fPIC", "-o", str(target), str(SOURCE), "-lpcap"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return None
    library = ctypes.CDLL(str(target))
    library.bpf_make.restype = ctypes.c_void_p
    library.bpf_count.restype = ctypes.c_uint64
    return library


def libpcap(expression: str, data: npt.NDArray[np.uint8]) -> Count | None:
    """libpcap's BPF interpreter over rows of headers in memory."""
    library = _library()
    if library is None:
        return None
    count, width = data.shape
    program = ctypes.c_void_p(library.bpf_make(expression.encode(), 65535))
    offsets = np.arange(count, dtype=np.int64) * width
    sizes = np.full(count, width, dtype=np.uint32)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (data, offsets, sizes, sizes)]
    keep = (data, offsets, sizes)
    return lambda: int(library.bpf_count(program, *pointers, ctypes.c_int64(len(keep[1]))))


def numpy_sel(data: npt.NDArray[np.uint8]) -> Count:
    """The rule set `sel` as numpy expressions over fixed offsets."""

    def count() -> int:
        port = data[:, 36].astype(np.uint16) << 8 | data[:, 37]
        host = data[:, 33]
        net = (data[:, 30] == 10) & (data[:, 31] == 1) & (data[:, 32] == 1)
        ipv4 = (data[:, 12] == 8) & (data[:, 13] == 0)
        chosen = ipv4 & (data[:, 23] == 6) & net & (host > 0) & (host < 8)
        return int(np.count_nonzero(chosen & ((port == 80) | (port == 443))))

    return count


def dpkt_sel(data: npt.NDArray[np.uint8]) -> Count | None:
    """The rule set `sel` over dpkt's objects."""
    try:
        import dpkt
    except ImportError:
        return None
    rows = [row.tobytes() for row in data]
    wanted = {bytes([10, 1, 1, host]) for host in range(1, 8)}

    def count() -> int:
        found = 0
        for row in rows:
            ip = dpkt.ethernet.Ethernet(row).data
            if isinstance(ip, dpkt.ip.IP) and isinstance(ip.data, dpkt.tcp.TCP):
                found += ip.data.dport in (80, 443) and ip.dst in wanted
        return found

    return count


def tcpdump_count(expression: str, path: Path) -> Count | None:
    """tcpdump as a whole process, counting."""
    program = shutil.which("tcpdump")
    if program is None:
        return None
    command = [program, "-r", str(path), "--count", expression]

    def count() -> int:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return int(done.stdout.split()[0])

    return count


def tcpdump_write(expression: str, path: Path, out: Path) -> Callable[[], None] | None:
    """tcpdump as a whole process, writing what matches."""
    program = shutil.which("tcpdump")
    if program is None:
        return None
    command = [program, "-r", str(path), "-w", str(out), expression]
    return lambda: void(subprocess.run(command, capture_output=True, check=True))


def tshark_count(expression: str, path: Path) -> Count | None:
    """tshark as a whole process with a display filter."""
    program = shutil.which("tshark")
    if program is None:
        return None
    command = [
        program,
        "-n",
        "-r",
        str(path),
        "-Y",
        expression,
        "-T",
        "fields",
        "-e",
        "frame.number",
    ]

    def count() -> int:
        done = subprocess.run(command, capture_output=True, check=True)
        return done.stdout.count(b"\n")

    return count


def cat(path: Path) -> Callable[[], None]:
    """`cat FILE >/dev/null` as a whole process."""
    return lambda: void(subprocess.run(["cat", str(path)], stdout=subprocess.DEVNULL, check=True))


def void(_: object) -> None:
    """Nothing."""
