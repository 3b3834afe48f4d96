"""What others do with the same frames: libpcap, DPDK, numpy, dpkt, whole programs.

Each peer answers with the number of accepted frames, which the benchmarks compare with ours.
A peer that is not installed is None, and the results say so.
"""

from __future__ import annotations

import ctypes
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SOURCES = Path(__file__).parent / "peers"
Count = Callable[[], int]
_NUMBERS = itertools.count()
# (protocol or 0, destination, prefix length, first port, last port), as acl_make takes them
AclRules = list[tuple[int, int, int, int, int]]
_HOSTS = [0x0A010100 + host for host in range(1, 8)]
ACL_SEL: AclRules = [(6, host, 32, port, port) for host in _HOSTS for port in (80, 443)]
ACL_HALF: AclRules = [
    *[(6, 0, 0, port, port) for port in (80, 443, 22, 53)],
    (17, 0, 0, 0, 65535),
]


def _build(name: str, *options: str) -> Any:
    """A C file of bench/peers as a library, or None without a compiler or what it includes."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    target = Path(tempfile.mkdtemp()) / f"{name}.so"
    flags = ["-O3", "-shared", "-fPIC", "-Wno-deprecated-declarations"]
    command = [compiler, *flags, "-o", str(target), str(SOURCES / f"{name}.c"), *options]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return None
    return ctypes.CDLL(str(target))


@lru_cache
def _libpcap() -> Any:
    library = _build("bpf_loop", "-lpcap")
    if library is not None:
        library.bpf_make.restype = ctypes.c_void_p
        library.bpf_count.restype = ctypes.c_uint64
    return library


@lru_cache
def _dpdk() -> Any:
    """DPDK, started in this process without its huge pages and devices; None where it is not."""
    asked = shutil.which("pkg-config")
    if asked is None:
        return None
    found = subprocess.run(
        [asked, "--cflags", "libdpdk"], capture_output=True, text=True, check=False
    )
    if found.returncode:
        return None
    flags = [flag for flag in found.stdout.split() if not flag.startswith("-march")]
    libraries = ("-lrte_acl", "-lrte_bpf", "-lrte_eal", "-lrte_mbuf", "-lpcap")
    library = _build("dpdk_loop", *flags, "-march=native", *libraries)
    if library is None or library.dpdk_start() < 0:
        return None
    for name in ("jit_make", "acl_make"):
        getattr(library, name).restype = ctypes.c_void_p
    for name in ("jit_count", "acl_count"):
        getattr(library, name).restype = ctypes.c_uint64
    return library


def _counting(function: Any, made: int, frames: Any) -> Count:
    """Count over (buffer, offsets int64, captured uint32), or over rows of headers."""
    if not isinstance(frames, tuple):
        count, width = frames.shape
        offsets = np.arange(count, dtype=np.int64) * width
        frames = frames, offsets, np.full(count, width, dtype=np.uint32)
    buffer, offsets, captured = frames
    arrays = (buffer, offsets, captured, captured)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
    keep = (frames, ctypes.c_int64(len(offsets)))
    return lambda: int(function(ctypes.c_void_p(made), *pointers, keep[1]))


def libpcap(expression: str, frames: Any) -> Count | None:
    """libpcap's BPF interpreter over frames in memory."""
    library = _libpcap()
    if library is None:
        return None
    made = library.bpf_make(expression.encode(), 65535)
    assert made, expression
    return _counting(library.bpf_count, made, frames)


def dpdk_jit(expression: str, frames: Any) -> Count | None:
    """The same program as DPDK's BPF compiler makes machine code of it."""
    library = _dpdk()
    if library is None:
        return None
    made = library.jit_make(expression.encode(), 65535)
    assert made, expression
    return _counting(library.jit_count, made, frames)


def dpdk_acl(rules: AclRules, frames: Any) -> Count | None:
    """DPDK's rte_acl, reading protocol, destination and ports where they are in the frames."""
    library = _dpdk()
    if library is None:
        return None
    table = np.array(rules, dtype=np.uint32)
    name = f"acl{len(rules)}-{next(_NUMBERS)}".encode()
    made = library.acl_make(name, ctypes.c_void_p(table.ctypes.data), len(rules))
    assert made, "rte_acl refused its rules"
    return _counting(library.acl_count, made, frames)


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


def tcpdump_write(expression: str, names: Path, out: Path) -> Callable[[], None] | None:
    """tcpdump as a whole process over the captures listed in a file, writing what matches."""
    program = shutil.which("tcpdump")
    if program is None:
        return None
    command = [program, "-V", str(names), "-w", str(out), expression]
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
    return whole(["cat", str(path)])


def whole(command: list[str]) -> Callable[[], None]:
    """Any command as a whole process, its output thrown away."""
    return lambda: void(subprocess.run(command, stdout=subprocess.DEVNULL, check=True))


def void(_: object) -> None:
    """Nothing."""
