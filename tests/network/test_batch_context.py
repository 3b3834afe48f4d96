"""The table of a network that nobody described: one member, of whom nothing is known."""

from __future__ import annotations

import numpy as np

from ztfast.network.batch_context import UNKNOWN_MEMBER, nobody


def test_nobody_is_one_member_without_anything() -> None:
    table = nobody(3)
    assert table.address.tolist() == [0]
    assert table.known.tolist() == [False]
    assert table.tag_ids == ()
    assert table.tag_present.shape == table.tag_value.shape == (0, 1)
    assert table.ips == table.macs == (frozenset(),)
    assert table.capabilities.tolist() == [[False]] * 3
    assert UNKNOWN_MEMBER == 0


def test_what_is_assumed_of_nobody() -> None:
    table = nobody(2, np.array([True, False]), ipauth=False)
    assert table.capabilities.tolist() == [[True], [False]]
    assert (table.assumed_ipauth, table.assumed_macauth) == (False, True)
