"""Filters for the kernel: everything, an expression, and what is refused."""

from __future__ import annotations

import ctypes.util
import struct

import pytest

from ztfast.errors import UsageError
from ztfast.live import bpf

needs_libpcap = pytest.mark.skipif(
    ctypes.util.find_library("pcap") is None, reason="libpcap: not installed"
)


def test_everything_up_to_a_length() -> None:
    assert bpf.filter_program(None, 96) == struct.pack("=HBBI", 6, 0, 0, 96)


@needs_libpcap
def test_an_expression_is_compiled() -> None:
    program = bpf.filter_program("arp", 1000)
    instructions = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    assert instructions[0] == (0x28, 0, 0, 12)  # load the ethertype
    assert (0x06, 0, 0, 1000) in instructions
    assert (0x06, 0, 0, 0) in instructions


@needs_libpcap
def test_what_libpcap_refuses_is_said() -> None:
    with pytest.raises(UsageError, match="--bpf 'tcp port nowhere-at-all'"):
        bpf.filter_program("tcp port nowhere-at-all", 1000)


@pytest.mark.parametrize("expression", ["vlan", "vlan 5 and tcp", "not vlan"])
def test_tags_are_not_there_yet(expression: str) -> None:
    with pytest.raises(UsageError, match="VLAN tags are not there"):
        bpf.filter_program(expression, 1000)


def test_without_libpcap_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpf, "_NAMES", ("libnothing-of-that-name.so",))
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    with pytest.raises(UsageError, match="libpcap"):
        bpf.filter_program("tcp", 1000)
