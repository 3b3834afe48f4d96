"""Filters that the kernel runs on an interface's frames: `--bpf` and `--snaplen` as instructions.

Contract: `filter_program` gives the bytes of struct sock_filter; expressions are compiled by
libpcap, which is asked for only where there is one.  Raises UsageError where it refuses or is
missing.
Tested by tests/live/test_bpf.py.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import socket
import struct

from ztfast.errors import usage

_RETURN = 0x06  # BPF_RET | BPF_K
_INSTRUCTION = struct.Struct("=HBBI")  # linux/filter.h, struct sock_filter
_ATTACH_FILTER = 26
_ETHERNET = 1
_TAGS = re.compile(r"\b(vlan|mpls|pppoes)\b")
_NAMES = ("libpcap.so.1", "libpcap.so.0.8")

NOTHING = _INSTRUCTION.pack(_RETURN, 0, 0, 0)


class _Program(ctypes.Structure):
    _fields_ = (("count", ctypes.c_uint), ("instructions", ctypes.c_void_p))


def filter_program(expression: str | None, snaplen: int) -> bytes:
    """Frames of the expression (None: all), at most `snaplen` bytes of each."""
    if expression is None:
        return _INSTRUCTION.pack(_RETURN, 0, 0, snaplen)
    if _TAGS.search(expression):
        raise usage(
            f"--bpf {expression[:60]!r}: VLAN tags are not there when the kernel asks this filter",
            "let the rules decide, or tap the VLAN's own interface",
        )
    library = _library()
    handle = library.pcap_open_dead(_ETHERNET, snaplen)
    program = _Program()
    try:
        text = expression.encode("utf-8", "surrogateescape")
        if library.pcap_compile(handle, ctypes.byref(program), text, 1, 0xFFFF_FFFF):
            why = library.pcap_geterr(handle).decode("utf-8", "replace")
            raise usage(f"--bpf {expression[:60]!r}: {why}", "see `man pcap-filter`")
        size = program.count * _INSTRUCTION.size
        made = ctypes.string_at(program.instructions or 0, size)
        library.pcap_freecode(ctypes.byref(program))
        return made
    finally:
        library.pcap_close(handle)


def attach(to: socket.socket, program: bytes) -> None:
    """Let the kernel run a program on what the socket receives."""
    kept = ctypes.create_string_buffer(program, len(program))
    count = len(program) // _INSTRUCTION.size
    to.setsockopt(
        socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("@HP", count, ctypes.addressof(kept))
    )


def _library() -> ctypes.CDLL:
    for name in (ctypes.util.find_library("pcap"), *_NAMES):
        if name is None:
            continue
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.pcap_open_dead.restype = ctypes.c_void_p
        library.pcap_open_dead.argtypes = [ctypes.c_int, ctypes.c_int]
        library.pcap_compile.argtypes = [
            *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint)
        ]
        library.pcap_freecode.argtypes = [ctypes.c_void_p]
        library.pcap_geterr.restype = ctypes.c_char_p
        library.pcap_geterr.argtypes = [ctypes.c_void_p]
        library.pcap_close.argtypes = [ctypes.c_void_p]
        return library
    raise usage("--bpf needs libpcap, which is not installed", "install it (Debian: libpcap0.8)")
