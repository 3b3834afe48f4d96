"""Outputs out of targets, and what is refused before the first frame.

Contract: what could never work is an error (ZT642) here, not a counter later: an output that is an
input, or one that cannot carry an input's longest frames.  What may go wrong is a warning (ZT643).
Tested by tests/live/test_tap_network.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ztfast.errors import Diagnostic, Severity, UsageError
from ztfast.live.file_output import FileOptions, FileOutput
from ztfast.live.interfaces import Interface, interface, merging
from ztfast.live.message_output import PacketOutput, VxlanOutput
from ztfast.live.output import Output, Say, Waiting
from ztfast.live.ring import cannot_tap
from ztfast.live.stream_output import StandardOutput, StreamOutput
from ztfast.live.targets import Target

_ETHERNET, _TAG = 14, 4


def make_output(
    target: Target, files: FileOptions, interfaces: Sequence[str], waiting: Waiting, say: Say
) -> Output:
    """The output that a target asks for, not opened yet."""
    name, place = target.text, target.place
    if target.kind == "packet":
        return PacketOutput(name, place, waiting, say)
    if target.vxlan is not None:
        return VxlanOutput(name, target.vxlan, waiting, say)
    if target.kind == "pcap":
        return FileOutput(name, place, files, interfaces, waiting, say)
    kind = StandardOutput if target.kind == "stdout" else StreamOutput
    return kind(name, place, files.form, interfaces, waiting, say)


def check_places(inputs: Sequence[str], targets: Sequence[Target], snaplen: int) -> None:
    """Raise UsageError where an interface to send into is an input, or carries less than one.

    CaptureError where an input is not there.
    """
    for name in inputs:
        if interface(name) is None:
            raise cannot_tap(name, "there is no such interface here", "see `ip link`")
    for target in targets:
        if target.kind != "packet":
            continue
        if target.place in inputs:
            raise refused(
                f"--to {target.text}: frames are taken from {target.place}, too",
                "send into another interface: its frames would come round for ever",
            )
        out = interface(target.place)
        if out is not None:
            _check_length(target, out.mtu, inputs, snaplen)


def check_vxlan(target: Target, output: VxlanOutput, inputs: Sequence[str], snaplen: int) -> None:
    """Raise UsageError where the way carries shorter frames than an input has."""
    _check_length(target, output.longest - _ETHERNET, inputs, snaplen)


def _check_length(target: Target, mtu: int, inputs: Sequence[str], snaplen: int) -> None:
    for known in _known(inputs):
        if mtu < min(known.mtu, snaplen - _ETHERNET):
            raise refused(
                f"--to {target.text}: it carries {mtu} bytes behind the Ethernet header, and "
                f"frames of {known.name} have up to {known.mtu}",
                f"raise its MTU to {known.mtu}, or cut frames: --snaplen {mtu + _ETHERNET}",
            )


def _known(inputs: Sequence[str]) -> Iterator[Interface]:
    for name in inputs:
        found = interface(name)
        if found is not None:
            yield found


def offload_warnings(inputs: Sequence[str]) -> list[Diagnostic]:
    """A warning for each input that makes several frames one before they are taken."""
    found: list[Diagnostic] = []
    for name in inputs:
        on = merging(name)
        if on:
            switches = " ".join(f"{word} off" for word in on)
            found.append(
                Diagnostic(
                    "ZT643",
                    f"{' and '.join(on)} may join frames before they are taken: lengths, counts "
                    "and checksums are not those of the wire",
                    severity=Severity.WARNING,
                    path=name,
                    help=f"ethtool -K {name} {switches}",
                )
            )
    return found


def refused(what: str, help: str) -> UsageError:
    """Something that could never work."""
    return UsageError(Diagnostic("ZT642", what, help=help))
