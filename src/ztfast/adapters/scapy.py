"""scapy: packets in, verdict columns out; an `lfilter` for `sniff`.

Contract: packets with an Ethernet header (Ether, Dot3), or whatever link layer scapy knows a
number for (raw IP, Linux cooked, …); `wirelen` is the original length where scapy knows one.
Tested by tests/adapters/test_scapy.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ztfast.adapters.common import ETHERNET, batch_of, library
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Verdicts
from ztfast.errors import Diagnostic, FrameError
from ztfast.frames.batch import FrameBatch

# scapy's names of link layers -> link type
_LAYERS = {
    **{"Ether": ETHERNET, "Dot3": ETHERNET, "IP": 228, "IPv6": 229},
    **{"CookedLinux": 113, "CookedLinuxV2": 276, "Loopback": 0},
}


def batch(packets: Iterable[Any]) -> FrameBatch:
    """scapy packets, all of one link layer, as a batch.  Raises FrameError."""
    library("scapy", "scapy")
    held = list(packets)
    layers = {type(packet).__name__ for packet in held}
    if len({_LAYERS.get(layer, -1) for layer in layers} | {-1}) > 2 or layers - set(_LAYERS):
        text = f"packets of link layers {', '.join(sorted(layers))[:80]} in one batch"
        help = f"hand in packets of one of {', '.join(_LAYERS)} at a time"
        raise FrameError(Diagnostic("ZT401", text, help=help))
    frames = [bytes(packet) for packet in held]
    lengths = [_length(*pair) for pair in zip(held, frames, strict=True)]
    return batch_of(frames, lengths, _LAYERS[layers.pop()] if layers else ETHERNET)


def evaluate(engine: Engine, packets: Iterable[Any], *, first: int = 0) -> Verdicts:
    """The verdict on each packet; `first` as in `Engine.evaluate`."""
    return engine.evaluate(batch(packets), first=first)


def lfilter(engine: Engine) -> Callable[[Any], bool]:
    """A function for scapy's `sniff(lfilter=…)`: is this packet accepted?

    What has a link layer that cannot be judged is not accepted, so that sniffing goes on.
    For Ethernet alone `ztfast.Filter` on `bytes(packet)` is quicker.
    """

    def accepted(packet: Any) -> bool:
        try:
            return bool(evaluate(engine, [packet]).accepted[0])
        except FrameError:
            return False

    return accepted


def _length(packet: Any, frame: bytes) -> int:
    """Bytes on the wire: never fewer than there are."""
    wire = getattr(packet, "wirelen", None)
    return max(len(frame), wire) if isinstance(wire, int) else len(frame)
