"""Members as columns: what the evaluators look up by member number.

Contract: `member_table` numbers a network's members from 1 in ascending order of address
(0 is *nobody known*, network.batch_context) and applies what a controller does: a tag's
default for members without the tag, default capabilities for members without a list
(docs/spec/evaluation.md section 8).  Only tags that the view's matches name get a row, so the
table's size is bounded by the rules, whatever the members carry.
Tested by tests/network/test_member_table.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ztfast.errors import Diagnostic, NetworkError
from ztfast.model.kinds import Kind
from ztfast.model.policy import Policy
from ztfast.model.view import View, default_capabilities
from ztfast.network.batch_context import (
    EMULATES_6PLANE,
    EMULATES_RFC4193,
    MemberTable,
    nobody,
)
from ztfast.network.collecting import uncollected
from ztfast.network.members import Member, Network

MAX_CELLS = 1 << 26

_NO_MACS: frozenset[int] = frozenset()  # no certificate of ownership holds a MAC

TAG_MATCHES = frozenset(
    (
        Kind.MATCH_TAGS_DIFFERENCE,
        Kind.MATCH_TAGS_BITWISE_AND,
        Kind.MATCH_TAGS_BITWISE_OR,
        Kind.MATCH_TAGS_BITWISE_XOR,
        Kind.MATCH_TAGS_EQUAL,
        Kind.MATCH_TAG_SENDER,
        Kind.MATCH_TAG_RECEIVER,
    )
)


@uncollected
def member_table(
    network: Network | None,
    view: View,
    policy: Policy | None = None,
    assumed_ipauth: bool = True,
    assumed_macauth: bool = True,
) -> MemberTable:
    """The members of a network (None: none is given) as columns for this view.

    policy: where defaults of tags and capabilities come from (the network's own where None).
    assumed_ipauth, assumed_macauth: what `chr ipauth` and `macauth` say of unknown senders.
    Member 0 holds the default capabilities, as every member does, and no tags.
    Raises NetworkError where the table would be larger than `MAX_CELLS` a column.
    """
    rules = policy if policy is not None or network is None else network.policy
    members = network.active_members() if network is not None else ()
    held = default_capabilities(view, rules)
    if network is None or not members:
        return nobody(len(view.capabilities), held, assumed_ipauth, assumed_macauth)
    ids = named_tags(view)
    _check_size(len(members), max(len(ids), len(view.capabilities)))
    present, value = _tag_rows(members, ids, rules)
    owned = [network.ips(member) for member in members]
    given = map(network.assigned, members, owned)
    return MemberTable(
        address=np.array([0, *(member.address for member in members)], dtype=np.uint64),
        tag_ids=ids,
        tag_present=present,
        tag_value=value,
        capabilities=_capability_rows(members, view, held),
        ips=(frozenset(), *owned),
        assigned=(frozenset(), *given),
        macs=(_NO_MACS,) * (len(members) + 1),
        stations=(frozenset(), *(_own_macs(network, member) for member in members)),
        known=np.arange(len(members) + 1) > 0,
        emulates=_schemes(network, members),
        network_id=network.id,
        assumed_ipauth=assumed_ipauth,
        assumed_macauth=assumed_macauth,
    )


def _check_size(members: int, rows: int) -> None:
    """Members times tags or capabilities is memory; no real network comes near the limit."""
    if members * rows > MAX_CELLS:
        raise NetworkError(
            Diagnostic(
                "ZT556",
                f"{members} members times {rows} tags or capabilities of the rules are too many",
                help=f"the product may be up to {MAX_CELLS}",
            )
        )


def named_tags(view: View) -> tuple[int, ...]:
    """The tag ids that a view's matches name, ascending."""
    found: set[int] = set()
    for entries in (view.base, *view.capabilities):
        for entry in entries:
            if entry.kind in TAG_MATCHES and entry.value[0] is not None:
                found.add(entry.value[0])
    return tuple(sorted(found))


def _own_macs(network: Network, member: Member) -> frozenset[int]:
    mac = network.mac(member)
    return frozenset() if mac is None else frozenset((mac,))


def _schemes(network: Network, members: tuple[Member, ...]) -> npt.NDArray[np.uint8]:
    found = np.zeros(len(members) + 1, np.uint8)
    if not network.has_scheme:
        return found
    for number, member in enumerate(members, 1):
        by_rfc4193, by_6plane = network.emulates(member)
        found[number] = EMULATES_RFC4193 * by_rfc4193 | EMULATES_6PLANE * by_6plane
    return found


def _capability_rows(
    members: tuple[Member, ...], view: View, defaults: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    rows = np.zeros((len(view.capabilities), len(members) + 1), dtype=np.bool_)
    takes = np.array([True, *(member.takes_defaults for member in members)])
    rows |= defaults[:, None] & takes
    row_of: dict[int, list[int]] = {}
    for row, number in enumerate(view.capability_ids):
        row_of.setdefault(number, []).append(row)
    for column, member in enumerate(members, 1):
        for number in member.capabilities:
            rows[row_of.get(number, []), column] = True
    return rows


def _tag_rows(
    members: tuple[Member, ...], ids: tuple[int, ...], policy: Policy | None
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint32]]:
    present = np.zeros((len(ids), len(members) + 1), dtype=np.bool_)
    value = np.zeros((len(ids), len(members) + 1), dtype=np.uint32)
    row_of = {number: row for row, number in enumerate(ids)}
    for tag in policy.tags if policy is not None else ():
        if tag.default is not None and tag.id in row_of:
            present[row_of[tag.id], 1:] = True
            # A default can be a negative 32-bit number (docs/spec/rules-language.md section 3).
            value[row_of[tag.id], 1:] = tag.default & 0xFFFFFFFF
    for number, row in row_of.items():
        own = [member.tags.get(number) for member in members]
        columns = [column for column, its_value in enumerate(own, 1) if its_value is not None]
        present[row, columns] = True
        value[row, columns] = [its_value for its_value in own if its_value is not None]
    return present, value
