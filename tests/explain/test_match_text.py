"""Each match in words: what it looked at."""

from __future__ import annotations

import random

from tests.differential.generate import entry_of, random_frame
from ztfast.engine.context import FrameContext
from ztfast.explain.match_text import MatchDescriber
from ztfast.frames.frame import Frame
from ztfast.model.entries import read_entry
from ztfast.model.kinds import Entry, Kind


def test_every_match_has_words() -> None:
    for seed in range(300):
        rng = random.Random(seed)
        frame = random_frame(rng)
        context = FrameContext(remote_tags=rng.choice([None, {}, {1: 5}]))
        describer = MatchDescriber(frame, context, seed % 2 == 1)
        for kind in Kind:
            entry = read_entry(entry_of(rng, kind))
            assert entry is not None
            if not kind.is_action:
                assert 5 < len(describer.describe(entry, 0)) < 200


def test_words() -> None:
    frame = Frame(b"", 0, 0x88CC, 0, 0x020000000001, 0xFFFFFFFFFFFF)
    describer = MatchDescriber(frame, FrameContext(), False)
    for entry, text in (
        (Entry(Kind.MATCH_ETHERTYPE, value=(5,)), "the ethertype is 0x88cc"),
        (Entry(Kind.MATCH_IP_DEST_PORT_RANGE, value=(5, 5)), "no IP: the ethertype is 0x88cc"),
        (Entry(Kind.MATCH_CHARACTERISTICS, value=(3 << 61,)), "it is multicast, broadcast"),
        (Entry(Kind.MATCH_MAC_SOURCE, value=(3,)), "the source is 02:00:00:00:00:01"),
        (Entry(Kind.MATCH_TAG_SENDER, value=(7, 1)), "the sender's tag 7 is not there"),
        (
            Entry(Kind.MATCH_TAG_RECEIVER, value=(7, 1)),
            "the receiver's tag 7 is unknown (its membership is not known here)",
        ),
    ):
        assert describer.describe(entry, 0) == text
