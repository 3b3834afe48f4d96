"""The JSON documents that people have, told apart by content: one table for rules and networks.

Contract: `recognise` gives the first row of `SHAPES` that fits a parsed value; the last fits
everything.  A row says in words what the document is, where in it networks and members stand,
and, where it holds no rules or no network, what to give instead.  Nothing here raises, whatever
the value is.  docs/network.md has the table for readers.  Tested by tests/lang/test_shapes.py;
what is read of each by tests/network/test_load_shapes.py and tests/lang/test_controller_shapes.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ztfast.model.entries import Json


Path = tuple["str | int", ...]

# As model/addresses.py has them, which needs numpy; rules alone do without.
_NETWORK_ID = re.compile(r"[0-9a-fA-F]{16}")
_CENTRAL_ID = re.compile(r"[0-9a-fA-F]{16}-[0-9a-fA-F]{10}")
_ADDRESS = re.compile(r"[0-9a-fA-F]{10}")
_NOTHING: dict[str, Json] = {}
_RULES_KEYS = frozenset({"rules", "capabilities", "tags"})
_NAMES = frozenset({"capabilitiesByName", "tagsByName"})
_NETWORK_KEYS = frozenset(
    {
        "rules",
        "rulesSource",
        "private",
        "routes",
        "v4AssignMode",
        "v6AssignMode",
        "ipAssignmentPools",
        "multicastLimit",
        "enableBroadcast",
    }
)
_MEMBER_KEYS = frozenset(
    {
        "authorized",
        "identity",
        "ipAssignments",
        "tags",
        "capabilities",
        "activeBridge",
        "noAutoAssignIps",
    }
)
_ERROR_KEYS = frozenset({"type", "error", "message", "code", "status", "statusCode"})


def _none(value: Json) -> list[Path]:
    return []


def _nowhere(value: Json) -> Path | None:
    return None


class Shape(NamedTuple):
    """One kind of document.

    networks: the paths of the networks' objects in it; members: the path of its members, None
    where they are looked for in and beside the network.  not_network, not_rules: what to give
    instead where a network or rules are expected; None where it is read.
    """

    words: str
    fits: Callable[[Json], bool]
    not_network: str | None = None
    not_rules: str | None = None
    networks: Callable[[Json], list[Path]] = _none
    members: Callable[[Json], Path | None] = _nowhere

    def describe(self, value: Json) -> str:
        """What the document is, with some of its keys, or what it says, where that helps."""
        said = _keys(value).get("message") or _keys(value).get("error")
        if self.fits is _error and isinstance(said, str):
            return f"{self.words} ({_shown(said)})"
        if self is not UNKNOWN or not isinstance(value, dict):
            return self.words
        keys = [_shown(key) for key in islice(value, 5)]
        return f"{self.words} (its keys: {', '.join(keys)}{', …' * (len(value) > 5)})"


def recognise(value: Json) -> Shape:
    """The row of a parsed JSON value."""
    return next(shape for shape in SHAPES if shape.fits(value))


def at(value: Json, path: Sequence[str | int]) -> Json:
    """The value at a path that is there."""
    inner: Any = value
    for part in path:
        inner = inner[part]
    found: Json = inner
    return found


def name_networks(value: Json, places: Sequence[Path]) -> str:
    """Several networks by id and name, for a message."""
    shown: list[str] = []
    for place in places[:10]:
        network = _keys(at(value, place))
        name = network.get("name") or _keys(network.get("config")).get("name")
        ids = [str(network[key]) for key in ("nwid", "id") if _is_network_id(network.get(key))]
        ids += [str(part) for part in place if _is_network_id(part)]
        id = ids[0] if ids else "?"
        shown.append(f"{id} ({_shown(name)})" if isinstance(name, str) and name else id)
    return f"{len(places)} networks: {', '.join(shown)}{', …' * (len(places) > 10)}"


def is_network(value: Json) -> bool:
    """True for an object with what only networks have."""
    network = _keys(value)
    if not network or is_member(value):
        return False
    if network.get("objtype") == "network" or network.get("type") == "Network":
        return True
    if any(_is_network_id(network.get(key)) for key in ("id", "nwid")):
        return True
    keys = [*network, *_keys(network.get("config"))]
    return not _NETWORK_KEYS.isdisjoint(keys)


def is_member(value: Json) -> bool:
    """True for an object with what only members have."""
    member = _keys(value)
    if member.get("objtype") == "member" or member.get("type") == "Member" or "nodeId" in member:
        return True
    id = member.get("id")
    if isinstance(id, str) and _CENTRAL_ID.fullmatch(id):
        return True
    named = _is_address(member.get("address")) or _is_address(id)
    return named and not _MEMBER_KEYS.isdisjoint(member)


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:40]) + "…" * (len(text) > 40)


def _is_network_id(value: Json) -> bool:
    return isinstance(value, str) and _NETWORK_ID.fullmatch(value) is not None


def _is_address(value: Json) -> bool:
    return isinstance(value, str) and _ADDRESS.fullmatch(value) is not None


# --- tests of the rows -----------------------------------------------------------------------


def _keys(value: Json) -> Mapping[str, Json]:
    """An object; for anything else an empty one."""
    return value if isinstance(value, dict) else _NOTHING


def _items(value: Json) -> list[Json]:
    """A list; for anything else an empty one."""
    return value if isinstance(value, list) else []


def _objects(value: Json) -> list[Mapping[str, Json]]:
    """A list of objects; for anything else an empty one."""
    items = _items(value)
    return [_keys(item) for item in items] if all(isinstance(i, dict) for i in items) else []


def _first(value: Json) -> Mapping[str, Json]:
    """The first object of a list of objects; for anything else an empty one."""
    return next((item for item in _objects(value)), _NOTHING)


def _empty_list(value: Json) -> bool:
    return isinstance(value, list) and not value


def _rule_list(value: Json) -> bool:
    types = (_keys(item).get("type") for item in _items(value))
    return any(isinstance(kind, str) and kind.startswith(("ACTION_", "MATCH_")) for kind in types)


def _node_network(value: Json) -> bool:
    first = _keys(value) or _first(value)
    return any(key in first for key in ("portDeviceName", "netconfRevision", "assignedAddresses"))


def _peers(value: Json) -> bool:
    first = _first(value)
    return "paths" in first and "role" in first


def _is_revisions(value: Json) -> bool:
    revisions = _keys(value)
    return bool(revisions) and all(
        _is_address(key) and isinstance(item, int) for key, item in revisions.items()
    )


def _revisions(value: Json) -> bool:
    return _is_revisions(value) or (
        bool(_objects(value)) and all(map(_is_revisions, _items(value)))
    )


def _ids(value: Json) -> bool:
    items = _items(value)
    return bool(items) and all(_is_network_id(item) or _is_address(item) for item in items)


def _network_list(value: Json) -> bool:
    return bool(_objects(value)) and all(map(is_network, _objects(value)))


def _member_list(value: Json) -> bool:
    return any(is_member(item) or "authorized" in item for item in _objects(value))


def _empty_object(value: Json) -> bool:
    return isinstance(value, dict) and not value


def _error(value: Json) -> bool:
    answer = _keys(value)
    said = answer.get("type") == "error" or "error" in answer or "message" in answer
    return said and _ERROR_KEYS.issuperset(answer)


def _terraform(value: Json) -> bool:
    state = _keys(value)
    kinds = ("values", "planned_values", "resources")
    return "terraform_version" in state and any(kind in state for kind in kinds)


def _terraform_config(value: Json) -> bool:
    return any(key.startswith("zerotier_") for key in _keys(_keys(value).get("resource")))


def _zero_ui(value: Json) -> bool:
    return bool(_zero_ui_networks(value))


def _zero_ui_networks(value: Json) -> list[Path]:
    return [
        ("networks", index, "additionalConfig")
        for index, network in enumerate(_objects(_keys(value).get("networks")))
        if isinstance(network.get("additionalConfig"), dict)
    ]


def _status(value: Json) -> bool:
    state = _keys(value)
    return "planetWorldId" in state or ("controller" in state and "apiVersion" in state)


def _data(value: Json) -> Json:
    return _keys(value).get("data")


def _member_answer(value: Json) -> bool:
    return _member_list(_data(value))


def _network_answer(value: Json) -> bool:
    return _network_list(_data(value))


def _empty_answer(value: Json) -> bool:
    return _empty_list(_data(value))


def _networks(value: Json) -> bool:
    return _network_list(_keys(value).get("networks"))


def _anything(value: Json) -> bool:
    return True


def _member_map(value: Json) -> bool:
    members = _keys(value)
    return bool(members) and all(
        _is_address(key) and isinstance(item, dict) for key, item in members.items()
    )


def _network_map(value: Json) -> bool:
    networks = _keys(value)
    return bool(networks) and all(
        _is_network_id(key) and is_network(item) for key, item in networks.items()
    )


def _dump(value: Json) -> bool:
    return any(key in _keys(value) for key in ("network", "members", "member"))


def _dump_networks(value: Json) -> list[Path]:
    return [("network",)] if _keys(value).get("network") is not None else [()]


def _ztnet_row(value: Json) -> bool:
    return "flowRule" in _keys(value) and not {"rules", "config"} & set(_keys(value))


def _compiled(value: Json) -> bool:
    keys = set(_keys(value)) - _NAMES - {"rulesSource"}
    config = _keys(_keys(value).get("config"))
    if keys == {"config"}:
        return bool(config) and _RULES_KEYS.issuperset(config)
    return bool(keys) and _RULES_KEYS.issuperset(keys)


def _whole(value: Json) -> list[Path]:
    return [()]


def _of_whole(value: Json) -> Path:
    return ()


def _of_data(value: Json) -> Path:
    return ("data",)


def _each(*path: str) -> Callable[[Json], list[Path]]:
    """The paths of the items of a list that stands at a path."""

    def paths(value: Json) -> list[Path]:
        return [(*path, index) for index in range(len(_items(at(value, path))))]

    return paths


def _each_key(value: Json) -> list[Path]:
    return [(key,) for key in _keys(value)]


_ONE_NETWORK = "give one network: /controller/network/ID, Central's /api/v1/network/ID, a TOML file"
_BOTH = 'give {"network": …, "members": […]}, of /controller/network/ID and its members'
_ONE_RULES = "give the network's JSON (/controller/network/ID), compiler output, or rules text"
_FETCH = (
    "fetch each member (/controller/network/ID/member/ADDRESS), or all of them at once "
    "(/unstable/controller/network/ID/member), or give the folder controller.d"
)
_REQUEST = "check the address and the token of the request"
_STATE = "give the state: terraform show -json > state.json"
_FORMS = "expected compiler output, a controller's network, Central's network, or a rule list"

UNKNOWN = Shape("a document of no known kind", _anything, _ONE_NETWORK, _FORMS)
TERRAFORM = Shape("Terraform's state", _terraform)
TERRAFORM_CONFIG = Shape("Terraform's configuration", _terraform_config, _STATE, _STATE)

# The first that fits counts.
SHAPES: tuple[Shape, ...] = (
    Shape("an empty list", _empty_list, _ONE_NETWORK),
    Shape("a list of rules", _rule_list, _BOTH),
    Shape(
        "what a node knows of networks it joined (zerotier-cli -j listnetworks)",
        _node_network,
        f"only the controller knows members and rules: {_ONE_NETWORK}",
        f"nodes do not show rules: {_ONE_RULES}",
    ),
    Shape("a node's peers (zerotier-cli -j listpeers)", _peers, _ONE_NETWORK, _ONE_RULES),
    Shape("addresses and revisions, which hold no members", _revisions, _FETCH, _ONE_RULES),
    Shape("a list of ids", _ids, _ONE_NETWORK, _ONE_RULES),
    Shape("a list of networks", _network_list, networks=_each()),
    Shape("a list of members", _member_list, None, _ONE_RULES, members=_of_whole),
    Shape("an empty object", _empty_object, _ONE_NETWORK, _FORMS),
    Shape("an API's error", _error, f"{_REQUEST}; {_ONE_NETWORK}", f"{_REQUEST}; {_ONE_RULES}"),
    TERRAFORM,
    TERRAFORM_CONFIG,
    Shape(
        "zero-ui's database (names and rules text only)",
        _zero_ui,
        f"members and settings are the controller's: {_ONE_NETWORK}",
        networks=_zero_ui_networks,
    ),
    Shape("the state of a node or controller", _status, _ONE_NETWORK, _ONE_RULES),
    Shape(
        "an answer with members",
        _member_answer,
        None,
        _ONE_RULES,
        members=_of_data,
    ),
    Shape(
        "an answer with networks",
        _network_answer,
        networks=_each("data"),
    ),
    Shape(
        "an answer without members or networks",
        _empty_answer,
        _ONE_NETWORK,
        _ONE_RULES,
    ),
    Shape("an object of addresses and members", _member_map, None, _ONE_RULES, members=_of_whole),
    Shape("an object of ids and networks", _network_map, networks=_each_key),
    Shape("a network and its members", _dump, networks=_dump_networks),
    Shape(
        "an object of networks",
        _networks,
        networks=_each("networks"),
    ),
    Shape(
        "a row of ztnet's database (a name and rules text only)",
        _ztnet_row,
        f"take ztnet's API answer and its members, or {_ONE_NETWORK}",
        networks=_whole,
    ),
    Shape("a member", is_member, None, _ONE_RULES, members=_of_whole),
    Shape("compiled rules (what `ztfast compile` prints)", _compiled, _BOTH, networks=_whole),
    Shape("a network", is_network, networks=_whole),
    UNKNOWN,
)
