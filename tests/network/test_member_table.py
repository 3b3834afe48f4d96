"""Members as columns: numbering, defaults of tags and capabilities, sizes bounded by the rules."""

from __future__ import annotations

import numpy as np
import pytest

from tests.network.building import ANNA, BERT, CARL, NETWORK_ID, member, policy
from ztfast.errors import NetworkError
from ztfast.model.addresses import mac_of
from ztfast.model.view import make_view
from ztfast.network.member_table import member_table, named_tags
from ztfast.network.members import make_network

ACCEPT = [{"type": "ACTION_ACCEPT"}]
POLICY = policy(
    [
        {"type": "MATCH_TAGS_DIFFERENCE", "id": 9, "value": 1},
        {"type": "MATCH_TAG_SENDER", "id": 3, "value": 1},
        {"type": "ACTION_ACCEPT"},
    ],
    capabilities=[
        {"id": 20, "default": False, "rules": ACCEPT},
        {"id": 10, "default": True, "rules": [{"type": "MATCH_TAGS_EQUAL", "id": 5}, *ACCEPT]},
    ],
    tags=[{"id": 9, "default": 7}, {"id": 3, "default": None}, {"id": 77, "default": 1}],
)
VIEW = make_view(POLICY, "out")


def test_members_are_numbered_from_one_in_order_of_address() -> None:
    network = make_network([member(CARL), member(ANNA), member(BERT, authorized=False)])
    table = member_table(network, VIEW, POLICY)
    assert table.address.tolist() == [0, ANNA, CARL]
    assert table.known.tolist() == [False, True, True]


def test_only_tags_that_the_rules_name_have_rows() -> None:
    assert named_tags(VIEW) == (3, 5, 9)
    members = [member(ANNA, tags={n: n for n in range(1000)})]
    table = member_table(make_network(members), VIEW, POLICY)
    assert table.tag_ids == (3, 5, 9)
    assert table.tag_present.shape == table.tag_value.shape == (3, 2)


def test_tag_defaults_go_to_members_without_the_tag() -> None:
    network = make_network([member(ANNA, tags={9: 1, 5: 2}), member(BERT)], policy=POLICY)
    table = member_table(network, VIEW)
    assert table.tag_present[:, 1:].tolist() == [[False, False], [True, False], [True, True]]
    assert table.tag_value[2].tolist() == [0, 1, 7]
    assert table.tag_value[1].tolist() == [0, 2, 0]
    assert not table.tag_present[:, 0].any()


def test_a_negative_default_is_its_32_bits() -> None:
    rules = policy(
        [{"type": "MATCH_TAG_SENDER", "id": 1, "value": 1}, *ACCEPT],
        tags=[{"id": 1, "default": 0}],
    )
    from dataclasses import replace

    rules = replace(rules, tags=(replace(rules.tags[0], default=-2),))
    table = member_table(make_network([member(ANNA)]), make_view(rules, "in"), rules)
    assert table.tag_value.tolist() == [[0, 0xFFFFFFFE]]


def test_capabilities_are_rows_in_the_views_order_and_defaults_go_to_everyone() -> None:
    assert VIEW.capability_ids == (10, 20)
    network = make_network([member(ANNA, capabilities=frozenset((20, 999))), member(BERT)])
    table = member_table(network, VIEW, POLICY)
    assert table.capabilities.tolist() == [[True, True, True], [False, True, False]]


def test_ownership() -> None:
    network = make_network([member(ANNA, ips=(b"\x0a\0\0\1",))], NETWORK_ID, POLICY)
    table = member_table(network, VIEW)
    assert table.ips == (frozenset(), {b"\x0a\0\0\1"})
    assert table.stations == (frozenset(), {mac_of(ANNA, NETWORK_ID)})
    assert table.macs == (frozenset(), frozenset())  # no certificate holds a MAC


def test_nobody() -> None:
    table = member_table(None, VIEW, POLICY, assumed_ipauth=False)
    assert len(table.address) == 1
    assert table.capabilities.tolist() == [[True], [False]]
    assert (table.assumed_ipauth, table.assumed_macauth) == (False, True)
    only_id = member_table(make_network([], NETWORK_ID), VIEW, POLICY)
    assert len(only_id.address) == 1


def test_a_table_that_would_take_all_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ztfast.network.member_table.MAX_CELLS", 5)
    with pytest.raises(NetworkError, match="2 members times 3 tags"):
        member_table(make_network([member(ANNA), member(BERT)]), VIEW, POLICY)
    monkeypatch.setattr("ztfast.network.member_table.MAX_CELLS", 6)
    member_table(make_network([member(ANNA), member(BERT)]), VIEW, POLICY)


def test_dtypes() -> None:
    table = member_table(make_network([member(ANNA)]), VIEW, POLICY)
    assert table.address.dtype == np.uint64
    assert table.tag_present.dtype == np.bool_
    assert table.tag_value.dtype == np.uint32
    assert table.capabilities.dtype == np.bool_
