"""Values of network documents: ids, addresses, MACs, IPs, tags; each refused with its place.

Contract: every reader takes a `documents.Node` and gives the value or raises `NetworkError`.
Tested by tests/network/test_load.py and test_toml.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ztfast.model.addresses import parse_address, parse_mac, parse_network_id
from ztfast.network.documents import Node

if TYPE_CHECKING:
    from ztfast.model.entries import Json


_IDS = 1 << 32
_OCTETS = {str(number): number for number in range(256)}


def read_network_id(node: Node) -> int:
    """A network id of 16 hex digits."""
    number = parse_network_id(node.text())
    if number is None:
        node.wrong("a network id of 16 hex digits")
    return number


def read_address(node: Node) -> int:
    """A ZeroTier address of 10 hex digits, not zero."""
    address = parse_address(node.text())
    if not address:
        node.wrong("a ZeroTier address of 10 hex digits")
    return address


def read_mac(node: Node) -> int:
    """A MAC of 12 hex digits."""
    mac = parse_mac(node.text())
    if mac is None:
        node.wrong("a MAC as aa:bb:cc:dd:ee:ff")
    return mac


def read_ips(node: Node | None) -> tuple[bytes, ...]:
    """Packed addresses; a prefix length behind one is checked and left out, as ownership does."""
    if node is None:
        return ()
    return tuple(_packed(item) for item in node.items())


def _packed(node: Node) -> bytes:
    address, slash, bits = node.text().partition("/")
    packed = _packed_ip(address)
    if packed is None:
        node.wrong("an IP address")
    wide = not bits.isascii() or not bits.isdigit() or len(bits) > 3 or int(bits) > len(packed) * 8
    if (slash and wide) or "%" in address:
        node.wrong("an IP address with a prefix length")
    return packed


def packed_ips(values: list[Json]) -> tuple[bytes, ...] | None:
    """IP addresses as most documents have them, quickly; None where any needs a closer look."""
    packed: list[bytes] = []
    for value in values:
        ip = _packed_ip(value) if type(value) is str and "%" not in value else None
        if ip is None:
            return None
        packed.append(ip)
    return tuple(packed)


def _packed_ip(text: str) -> bytes | None:
    """An IP address without a zone; IPv4 by hand, since ipaddress takes eight times as long."""
    if ":" not in text:
        octets = text.split(".")
        try:
            return bytes(map(_OCTETS.__getitem__, octets)) if len(octets) == 4 else None
        except KeyError:
            return None
    from ipaddress import AddressValueError, IPv6Address  # start-up stays short

    try:
        return IPv6Address(text).packed
    except AddressValueError:
        return None


def read_route(node: Node) -> tuple[bytes, int]:
    """(packed address, prefix length) of a route's target; without a length it is one address."""
    packed = _packed(node)
    bits = node.text().partition("/")[2]
    return packed, int(bits) if bits else len(packed) * 8


def read_tags(node: Node | None) -> dict[int, int]:
    """Tags as `[[id, value], …]` or as an object of ids and values."""
    if node is None:
        return {}
    plain = plain_tags(node.value)
    if plain is not None:
        return plain
    tags: dict[int, int] = {}
    for key, value in _tag_pairs(node):
        number = key.integer(32)
        if number in tags:
            key.refuse(f"the tag {number} is given twice", code="ZT554")
        tags[number] = _tag_value(value)
    return tags


def plain_tags(pairs: Json) -> dict[int, int] | None:
    """Tags as a controller writes them, quickly; None where anything needs a closer look."""
    if not isinstance(pairs, list):
        return None
    tags: dict[int, int] = {}
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2:
            return None
        key, value = pair
        if type(key) is not int or type(value) is not int or key in tags:
            return None
        if not (0 <= key < _IDS and 0 <= value < _IDS):
            return None
        tags[key] = value
    return tags


def _tag_value(node: Node) -> int:
    """A tag's value; true and false are 1 and 0, as a controller reads them."""
    return int(node.value) if isinstance(node.value, bool) else node.integer(32)


def _tag_pairs(node: Node) -> Iterator[tuple[Node, Node]]:
    if isinstance(node.value, list):
        for pair in node.items():
            items: Json = pair.value
            if not isinstance(items, list) or len(items) != 2:
                pair.wrong("a pair [tag id, value]")
            yield pair.child(0), pair.child(1)
        return
    for key in node.table():
        value = node.child(key)
        if not (key.isascii() and key.isdigit() and len(key) <= 10):
            value.refuse(f"{key!r:.60} is not a tag id")
        yield Node(int(key), value.name, value.path), value


def read_ids(node: Node | None) -> frozenset[int]:
    """Ids of 32 bits."""
    return frozenset() if node is None else frozenset(node.integers(32))
