"""Members as controllers write them, read quickly; thousands of them look alike.

Contract: `read_plain` gives what `load.read_member` gives, or None where anything is unusual or
wrong: then that reads the member with care, and says what is wrong and where.
Tested by tests/network/test_plain.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ztfast.model.addresses import parse_address
from ztfast.network.members import Member, plain_member
from ztfast.network.values import packed_ips, plain_tags

if TYPE_CHECKING:
    from ztfast.model.entries import Json

_IDS = 1 << 32
_NONE: frozenset[int] = frozenset()
# what stands in a member's own object where it is not as a controller writes it
_ELSEWHERE = frozenset(("config", "nodeId", "mac", "deleted", "permanentlyDeleted"))


def read_plain(value: Json) -> Member | None:
    """A member of the usual shape that was not deleted; None where it needs a closer look."""
    if not isinstance(value, dict) or not _ELSEWHERE.isdisjoint(value):
        return None
    get = value.get
    text, name = get("address"), get("name", "")
    address = parse_address(text) if isinstance(text, str) else None
    listed, pairs, ids = get("ipAssignments"), get("tags"), get("capabilities")
    ips = packed_ips(listed) if isinstance(listed, list) else None
    tags = plain_tags(pairs)
    if not address or ips is None or tags is None or not isinstance(name, str):
        return None
    authorized, bridge = get("authorized", False), get("activeBridge", False)
    bare = get("noAutoAssignIps", False)
    if type(authorized) is not bool or type(bridge) is not bool or type(bare) is not bool:
        return None
    capabilities = _plain_ids(ids)
    if capabilities is None:
        return None
    return plain_member(
        address, ips, tags, capabilities, authorized, name, bridge, ids is None, not bare
    )


def _plain_ids(values: Json) -> frozenset[int] | None:
    if values is None:
        return _NONE
    if not isinstance(values, list):
        return None
    ids = [value for value in values if type(value) is int and 0 <= value < _IDS]
    return frozenset(ids) if len(ids) == len(values) else None
