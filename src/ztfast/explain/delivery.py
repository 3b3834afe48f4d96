"""What becomes of an explained frame on its network: who gets it, and where its copies end.

Contract: `delivery_notes` asks `pipeline.deliver` and groups what it says: members to whom the same
was sent, by the same, with the same end, are one note.  None where the members are not known.
Tested by tests/explain/test_delivery.py.
"""

from __future__ import annotations

from typing import NamedTuple

from ztfast.engine.engine import Engine
from ztfast.explain.contexts import ContextResolver
from ztfast.frames.batch import FrameBatch
from ztfast.frames.frame import Frame
from ztfast.pipeline.deliver import deliver
from ztfast.pipeline.deliveries import WHY, Deliveries, Fate, Kind


class DeliveryNote(NamedTuple):
    """What one member sent to others, and what became of it there.

    kind: "frame", "multicast", "tee", "watch" or "redirect".  to: (address, name) of the members
    it was sent to.  sent_by: that of the member that sent it.  length: bytes with the Ethernet
    header.  line: of the rule that sent it, None for the frame itself.  arrived: did it reach
    their taps?  why: in words; why_line: of the rule that refused it there.
    """

    kind: str
    to: tuple[tuple[int, str], ...]
    sent_by: tuple[int, str]
    length: int
    line: int | None
    arrived: bool
    why: str
    why_line: int | None


def delivery_notes(
    resolver: ContextResolver, frame: Frame, number: int = 0
) -> tuple[DeliveryNote, ...] | None:
    """Everything that is sent for a frame, in the order of sending; None: members not known."""
    engine = Engine(
        resolver.policy,
        network=resolver.network,
        engine=resolver.views["out"].engine,
        seed=resolver.seed,
        assume_ipauth=resolver.assume_ipauth,
    )
    if not engine.can_deliver:
        return None
    found = deliver(engine, FrameBatch.from_frame(frame), first=number)
    return _grouped(found, resolver)


def _grouped(found: Deliveries, resolver: ContextResolver) -> tuple[DeliveryNote, ...]:
    """One note for those members to whom the same was sent with the same end."""
    assert resolver.network is not None
    name = resolver.network.member_name
    columns = (column.tolist() for column in found[:-1])  # each is one sending
    groups: dict[tuple[int, ...], list[tuple[int, str]]] = {}
    for _, to, *rest in zip(*columns, strict=True):
        groups.setdefault(tuple(rest), []).append((to, name(to)))
    return tuple(
        DeliveryNote(
            Kind(kind).name.lower(),
            tuple(to),
            (sent_by, name(sent_by)),
            length,
            line or None,
            fate == Fate.ARRIVED,
            WHY[Fate(fate)],
            fate_line if fate == Fate.RULES and fate_line else None,
        )
        for (kind, sent_by, length, line, fate, fate_line), to in groups.items()
    )
