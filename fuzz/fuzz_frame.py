"""Frame bytes: both evaluators on any rules, plain and optimised tables, columns made before.

Input: one byte n; n bytes that choose rules, members and cuts; the rest is a frame.
"""

from __future__ import annotations

from tests.differential.compare import difference
from tests.differential.generate import Case, random_member, random_row, random_rules
from tests.differential.rounds import NETWORK_ID, random_network, random_policy

from fuzz.checks import same_verdicts
from fuzz.choices import ByteRandom
from ztfast import dispatch
from ztfast.frames.batch import FrameBatch
from ztfast.frames.frame import Frame
from ztfast.model.reads import Reads

_WAYS = ("plain table", "optimised", "look-ups forced", "columns ready")
_EXTRA = (0, 0, 1, 3, 40, 1 << 16, (1 << 31) - 1)


def one(data: bytes) -> None:
    """Judge the frame whole, and cut at a few lengths."""
    choices, frame = data[1 : 1 + data[0]] if data else b"", data[1 + data[0] :] if data else b""
    rng = ByteRandom(choices)
    if rng.getrandbits(1):
        _engines(rng, frame)
    elif dispatch.core is not None:
        found = difference(_case(rng, frame), _WAYS)
        assert found is None, found


def _lengths(rng: ByteRandom, frame: bytes) -> list[tuple[int, int]]:
    """(captured, original) of each copy of the frame."""
    cuts = [len(frame), *(rng.randrange(len(frame) + 1) for _ in range(3))]
    return [(cut, cut + rng.choice(_EXTRA)) for cut in cuts]


def _engines(rng: ByteRandom, frame: bytes) -> None:
    """Ethernet frames, through whole engines."""
    lengths = _lengths(rng, frame)
    batch = FrameBatch.from_frames([frame[:cut] for cut, _ in lengths], [n for _, n in lengths])
    network = random_network(rng)
    known = rng.choice(({"network": network}, {}, {"network_id": NETWORK_ID}))
    engine, ipauth = rng.choice(("1.14", "1.12")), rng.random() < 0.5
    same_verdicts(random_policy(rng), batch, **known, engine=engine, assume_ipauth=ipauth)


def _case(rng: ByteRandom, frame: bytes) -> Case:
    """Payloads in a batch context: the frame starts with its ethertype."""
    ethertype, payload = int.from_bytes(frame[:2], "big"), frame[2:]
    unknown = rng.choice((Reads(0), Reads.MAC_SOURCE, Reads.MAC_DEST | Reads.ETHERTYPE))
    direction = rng.choice(("out", "in"))
    rows = [
        random_row(
            rng,
            Frame(payload[:cut], length, ethertype, rng.choice((0, 5)), 1, 2, unknown),
            direction == "in",
            number,
        )
        for number, (cut, length) in enumerate(_lengths(rng, payload))
    ]
    capabilities = tuple(random_rules(rng) for _ in range(rng.choice((0, 0, 1))))
    return Case(
        direction=direction,
        engine=rng.choice(("1.14", "1.12")),
        rules=random_rules(rng),
        capabilities=capabilities,
        members=tuple(random_member(rng, len(capabilities)) for _ in range(2)),
        rows=tuple(rows),
        assumed_ipauth=rng.random() < 0.5,
        assumed_macauth=rng.random() < 0.5,
        seed=rng.getrandbits(64),
    )
