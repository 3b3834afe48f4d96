"""Timing: that everything is there and adds up; never how long anything took."""

from __future__ import annotations

import pytest

from ztfast import dispatch
from ztfast.cli.bench import made_up
from ztfast.lang import compile_text
from ztfast.pipeline.timing import _cuts, measure

COUNT = 300 if dispatch.core is None else 3000  # each set is timed with all of them
RULES = """
drop not ethertype ipv4;
accept ipprotocol tcp and dport 80;
tee 64 8e30f50a25 ipprotocol udp;
drop dport 25;
accept;
"""


def test_every_set_is_there_with_what_it_decided() -> None:
    timing = measure(compile_text(RULES), made_up(COUNT))
    assert timing.frames == COUNT
    assert sorted(item.line or 0 for item in timing.sets) == [2, 3, 4, 5, 6]
    assert sum(item.hits for item in timing.sets) == COUNT
    assert sum(item.share for item in timing.sets) == pytest.approx(1.0)
    assert [item.seconds for item in timing.sets] == sorted(
        (item.seconds for item in timing.sets), reverse=True
    )


def test_many_sets_are_timed_in_groups() -> None:
    assert _cuts(list(range(5))) == [0, 1, 2, 3, 4]
    cuts = _cuts(list(range(1000)))
    assert len(cuts) <= 64
    assert cuts[-1] == 999
    assert _cuts([]) == []


def test_rules_without_an_action_have_no_set_to_time() -> None:
    assert measure(compile_text(""), made_up(10)).sets == ()
