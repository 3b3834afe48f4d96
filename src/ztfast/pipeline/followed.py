"""What a counting scan followed of copies and redirects, in the words of a tally.

Contract: the figures are those that `Tally.add` and `pipeline.deliver` give of the same frames.
Tested by tests/pipeline/test_followed.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ztfast.engine.engine import Engine
from ztfast.engine.native_follow import FATES, Followed, FollowTables, follow_tables
from ztfast.engine.native_tables import EntryFacts
from ztfast.pipeline.count import Count, add
from ztfast.pipeline.deliveries import Fate, Kind
from ztfast.pipeline.delivery_tally import Key

_SIDES = ("sender", "receiver")


class SentCounts(NamedTuple):
    """copies: what `Tally.copies` counts, as sent; fates: what `DeliveryTally.sent` counts."""

    copies: dict[tuple[str, str, int], Count]
    fates: dict[Key, Count]


class Following:
    """What an engine's rules send, ready to be followed by a scan that counts."""

    def __init__(self, engine: Engine, tables: FollowTables, facts: EntryFacts) -> None:
        self._tables = tables
        entries = np.flatnonzero(facts.sends)
        self._kinds = [_kind(facts, number) for number in entries.tolist()]
        self._targets: list[int] = tables.address.tolist()
        # by entry over all rule sets, the last for none
        self._lines: list[int] = engine.lines(facts.local, facts.section).tolist()

    def anew(self) -> Followed:
        """Where one call counts."""
        keys = self._tables.keys
        return Followed(self._tables, np.zeros(keys, np.uint64), np.zeros(keys, np.uint64))

    def counts(self, found: Followed) -> SentCounts:
        """What one call counted."""
        counts = SentCounts({}, {})
        slots = len(self._targets)
        for place in np.flatnonzero(found.frames).tolist():
            count = int(found.frames[place]), int(found.octets[place])
            if place < 2 * slots:
                side, slot = divmod(place, slots)
                sent = _SIDES[side], self._kinds[slot].name.lower(), self._targets[slot]
                add(counts.copies, sent, *count)
                continue
            rest, fate = divmod(place - 2 * slots, FATES)
            slot, decider = divmod(rest, len(self._lines))
            key = self._kinds[slot], self._targets[slot], Fate(fate), self._lines[decider - 1]
            add(counts.fates, key, *count)
        return counts


def following(engine: Engine) -> Following | None:
    """None where an engine's copies are followed by `pipeline.deliver` alone."""
    network, evaluator = engine.network, engine.scan_evaluator
    if network is None or evaluator is None or not engine.can_deliver or engine.draws:
        return None
    facts = evaluator.sides[0].entries
    tables = follow_tables(network, engine.members("out").table, facts)
    return None if tables is None else Following(engine, tables, facts)


def _kind(facts: EntryFacts, entry: int) -> Kind:
    if facts.redirect[entry]:
        return Kind.REDIRECT
    return Kind.WATCH if facts.watch[entry] else Kind.TEE
