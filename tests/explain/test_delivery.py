"""What an explanation says of copies, redirects and recipients is what `deliver` says."""

from __future__ import annotations

import random

import pytest

from tests.differential.rounds import random_batch, random_network, random_policy
from ztfast.engine.engine import Engine
from ztfast.explain.contexts import ContextResolver
from ztfast.explain.delivery import DeliveryNote, delivery_notes
from ztfast.explain.explain import explain
from ztfast.explain.render import to_object, to_text
from ztfast.frames.batch import FrameBatch
from ztfast.frames.frame import Frame
from ztfast.frames.notation import parse_frame
from ztfast.lang import compile_text
from ztfast.model.addresses import mac_of
from ztfast.network.members import Member, Network, make_network
from ztfast.pipeline.deliver import deliver
from ztfast.pipeline.deliveries import WHY, Fate, Kind

NETWORK_ID = 0x8056C2E21C000001
ANNA, FILES, SENSOR, STRANGER = 0x1111111111, 0x2222222222, 0x3333333333, 0x4444444444
RULES = """\
drop not chr ipauth;
tee 64 3333333333 ipprotocol udp;
redirect 3333333333 ipprotocol sctp;
accept;
"""


def office() -> Network:
    return make_network(
        [
            Member(ANNA, ips=(bytes((10, 0, 0, 1)),), name="anna"),
            Member(FILES, ips=(bytes((10, 0, 0, 2)),), name="files"),
            Member(SENSOR, ips=(bytes((10, 0, 0, 3)),), name="sensor"),
        ],
        id=NETWORK_ID,
    )


def said(frame: str) -> tuple[tuple[DeliveryNote, ...], str]:
    """The notes and the first lines for `udp 10.0.0.1 > …`, MACs written out."""
    from ztfast.explain.contexts import with_member_macs

    network = office()
    resolver = ContextResolver(compile_text(RULES), network)
    made = with_member_macs(parse_frame(frame), network)
    notes = delivery_notes(resolver, made)
    assert notes is not None
    found = explain(resolver, resolver.contexts(made), "both", notes)
    assert to_object(found)["deliveries"][0]["sent_by"] == {"address": "1111111111", "name": "anna"}
    return notes, to_text(found).partition("\n\n")[0]


def test_copies_and_who_refuses_them() -> None:
    notes, text = said("udp 10.0.0.1 > 10.0.0.2:53")
    assert [(n.kind, n.arrived, n.line, n.why_line) for n in notes] == [
        ("tee", True, 2, None),
        ("frame", True, None, None),
        ("tee", False, 2, 1),  # files does not own anna's address: the sensor's line 1 refuses it
    ]
    assert text.splitlines()[2:] == [
        "arrives at files; copies arrive at sensor",
        "  tee of 42 bytes, anna (line 2) to sensor: arrived",
        "  frame of 42 bytes, anna to files: arrived",
        "  tee of 42 bytes, files (line 2) to sensor: dropped by its rules (line 1)",
    ]


def test_a_redirect_arrives_at_its_target() -> None:
    _, text = said("sctp 10.0.0.1 > 10.0.0.2:53")
    assert text.splitlines()[2:] == [
        "arrives at sensor",
        "  redirect of 46 bytes, anna (line 3) to sensor: arrived",
    ]


def test_recipients_that_fare_alike_are_one_note() -> None:
    notes, text = said("arp 10.0.0.1 > 10.0.0.2")
    assert [[name for _, name in note.to] for note in notes] == [["files", "sensor"]]
    assert "arrives at files, sensor\n" in text


@pytest.mark.parametrize(
    ("ends", "why"),
    [
        ((STRANGER, FILES), "arrives nowhere: its sender is not a member"),
        ((ANNA, ANNA), "arrives nowhere: a node sends nothing to itself through the network"),
        (
            (ANNA, STRANGER),
            "arrives nowhere\n  frame of 42 bytes, anna to 4444444444: no such member",
        ),
    ],
)
def test_an_accepted_frame_that_nobody_gets_says_why(ends: tuple[int, int], why: str) -> None:
    source, dest = (mac_of(address, NETWORK_ID) for address in ends)
    frame = Frame(bytes(28), 28, 0x88B5, mac_source=source, mac_dest=dest)
    resolver = ContextResolver(compile_text("accept;"), office())
    notes = delivery_notes(resolver, frame)
    text = to_text(explain(resolver, resolver.contexts(frame), "both", notes))
    assert text.splitlines()[1].startswith("accepted")
    assert "\n".join(text.partition("\n\n")[0].splitlines()[2:]) == why


def test_nothing_is_said_where_nobody_is_known() -> None:
    resolver = ContextResolver(compile_text(RULES))
    assert delivery_notes(resolver, parse_frame("udp 10.0.0.1 > 10.0.0.2:53").frame) is None


def test_the_notes_are_the_deliveries() -> None:
    for seed in range(20):
        rng = random.Random(seed)
        policy, network = random_policy(rng), random_network(rng)
        batch = random_batch(rng, network)[:10]
        engine = Engine(policy, network=network, seed=seed)
        resolver = ContextResolver(policy, network, seed=seed)
        for index in range(len(batch)):
            frame = batch.frame(index)
            notes = delivery_notes(resolver, frame, 50 + index)
            if not engine.can_deliver:
                assert notes is None
                continue
            assert notes is not None
            found = deliver(engine, FrameBatch.from_frame(frame), first=50 + index)
            rows = zip(*(column.tolist() for column in found), strict=True)
            expected = sorted(
                (Kind(kind).name.lower(), to, by, length, line, WHY[Fate(fate)])
                for _, to, kind, by, length, line, fate, _, _ in rows
            )
            assert expected == sorted(
                (n.kind, to, n.sent_by[0], n.length, n.line or 0, n.why)
                for n in notes
                for to, _ in n.to
            ), f"seed {seed}, frame {index}"
