"""Values of documents, against slower readers that other people keep."""

from __future__ import annotations

import random
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import pytest

from ztfast.errors import NetworkError
from ztfast.network.documents import Node
from ztfast.network.values import read_ips, read_tags


def written(rng: random.Random) -> str:
    """An address, mostly: right, nearly right, or of its letters."""
    if rng.random() < 0.2:
        return "".join(rng.choices("0123456789abcf.:/%", k=rng.randrange(20)))
    kind = rng.choice([IPv4Address, IPv6Address])
    text = str(kind(rng.getrandbits(32 if kind is IPv4Address else rng.choice([8, 40, 128]))))
    at = rng.randrange(len(text) + 1)
    return rng.choice([text, text[:at] + rng.choice("0:.1 ٣\0g") + text[at:], text[:at]])


@pytest.mark.parametrize("seed", range(20))
def test_ip_addresses_are_what_the_standard_library_says(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(500):
        text = written(rng)
        address, slash, _ = text.partition("/")
        try:
            packed = (IPv6Address if ":" in address else IPv4Address)(address).packed
        except AddressValueError:
            packed = None
        if packed is None or "%" in address:
            with pytest.raises(NetworkError, match="is not an IP address"):
                read_ips(Node([text], "x.json"))
        elif not slash:
            assert read_ips(Node([text], "x.json")) == (packed,), text


def test_true_is_a_tags_value_of_one() -> None:
    assert read_tags(Node([[1, True], [2, 7]], "x.json")) == {1: 1, 2: 7}


@pytest.mark.parametrize(
    "pairs", [[[True, 1]], [[1, 2], [1, 3]], [[1, 2, 3]], [[1, -1]], [[1 << 32, 0]], ["12"]]
)
def test_tags_that_are_none_are_refused(pairs: list[list[int]]) -> None:
    with pytest.raises(NetworkError):
        read_tags(Node(pairs, "x.json"))
