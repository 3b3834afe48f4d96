"""An engine of every kind, batches to judge, and all that is said of them, for tests."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from tests.differential.rounds import random_network
from tests.engine.cases import IPV4, IPV6, ipv4, ipv6, ports
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Verdicts
from ztfast.frames.batch import FrameBatch
from ztfast.lang import compile_text

COLUMNS = (
    *("action", "accepted", "super_accepted", "side", "entry", "capability", "line"),
    *("destination", "qos", "copy_target", "copy_length", "watch", "reads", "receivers"),
)
# Draws, copies, redirects, tags, capabilities, ownership: all that a machine has room for.
RULES = """
tag team id 1 default 0;
cap web id 9 default accept dport 80 or random 0.3; ;
drop chr ipauth and random 0.2;
tee 40 3333333333 ipprotocol udp;
redirect 4444444444 sport 7;
break tdiff team 1 and random 0.5;
accept ipsrc 10.0.0.0/24 or random 0.5;
"""
PLAIN = "accept ipprotocol tcp and dport 80; drop ethertype ipv6; accept sport 1-99; drop;"


def engines() -> dict[str, Engine]:
    """Nobody known, plain; nobody known, with draws; members known."""
    network = random_network(random.Random(12))
    assert network.members
    return {
        "plain": Engine(compile_text(PLAIN), backend="native"),
        "draws": Engine(compile_text(RULES), backend="native", seed=5),
        "members": Engine(compile_text(RULES), backend="native", seed=5, network=network),
    }


def batch(seed: int, count: int) -> FrameBatch:
    """Frames between members, to a group and to all; one of ten is cut."""
    rng = random.Random(seed)
    network = random_network(random.Random(12))
    macs = [
        mac.to_bytes(6, "big")
        for member in network.members
        if (mac := network.mac(member)) is not None
    ]
    macs += [b"\xff" * 6, b"\x33\x33\0\0\0\1"]
    bodies = [
        (IPV4, ipv4(rng.choice((6, 17)), ports(rng.choice((7, 53, 200)), rng.choice((80, 22)))))
        for _ in range(20)
    ]
    bodies += [(IPV6, ipv6(6, ports(1, 80) + b"\0" * 16)), (0x0806, b"\0" * 28)]
    frames = []
    for _ in range(count):
        ethertype, body = rng.choice(bodies)
        frame = rng.choice(macs) + rng.choice(macs) + ethertype.to_bytes(2, "big") + body
        frames.append(frame[: rng.randrange(len(frame))] if rng.random() < 0.1 else frame)
    return FrameBatch.from_frames(frames, [90] * count)


def raw_frames(frames: FrameBatch) -> list[bytes]:
    """Each frame's captured bytes."""
    return [
        bytes(frames.buffer[start : start + size])
        for start, size in zip(frames.offsets, frames.captured, strict=True)
    ]


def said(verdicts: Verdicts) -> dict[str, Any]:
    """Every column."""
    return {name: np.array(getattr(verdicts, name)) for name in COLUMNS}


def same(expected: dict[str, Any], got: dict[str, Any]) -> None:
    """Every column is the same."""
    assert list(expected) == list(got) == list(COLUMNS)
    for name, column in expected.items():
        np.testing.assert_array_equal(column, got[name], err_msg=name)


def joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Columns of consecutive batches as one batch's."""
    return {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}
