"""The entries of `diagnostics.codes` for the live tap, ZT64x.

Contract: data only.  Tested by tests/diagnostics/test_codes.py.
"""

from __future__ import annotations

from ztfast.diagnostics.code import Code

LIVE: tuple[Code, ...] = (
    Code(
        "ZT640",
        "an interface cannot be tapped",
        "There is no interface of that name in this network namespace, packet sockets are not "
        "permitted (CAP_NET_RAW is what is needed), or the kernel has no memory for the ring.",
    ),
    Code(
        "ZT641",
        "an output of a tap cannot be opened",
        "The interface, the FIFO, the folder or the address is not there or refuses. Once a tap "
        "runs, an output that vanishes is opened again instead, and frames are counted meanwhile.",
    ),
    Code(
        "ZT642",
        "an output that could never work",
        "Frames would come round for ever where an output is an input, too; and an interface with "
        "a smaller MTU refuses the longest frames. ZeroTier's interfaces have an MTU of 2800.",
    ),
    Code(
        "ZT643",
        "frames may be joined before they are tapped",
        "With generic or large receive offload the network card or the kernel makes one long frame "
        "of several. Lengths and counts are then not those of the wire, and such a frame is too "
        "long to be sent on. The command to switch it off stands in the message.",
    ),
    Code(
        "ZT644",
        "a tap needs Linux",
        "Frames are taken from a ring that only Linux has (AF_PACKET, TPACKET_V3). Elsewhere, "
        "write a capture with tcpdump and judge it with `ztfast filter`.",
    ),
)
