"""Documents that are broken on purpose: each is a NetworkError with a place, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ztfast.errors import NetworkError
from ztfast.network.documents import Node, parse_json, read_document


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "f.json:1:0: is not JSON"),
        (b'{\n "a": }', "f.json:2:6: is not JSON"),
        (b'{"a": "\xff"}', "f.json: byte 7: is not UTF-8"),
        (b'{"a": 1, "a": 2}', "the key 'a' twice"),
        (b'{"b": [{"a": 1, "x": 0, "a": 2}]}', "the key 'a' twice"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
        (b"[" * 101 + b"]" * 101, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b"1" * 100_000, "too many digits"),
        (b"[1]\0", "is not JSON"),
        (b'["\x00"]', "is not JSON"),
    ],
)
def test_refused_with_a_place(data: bytes, says: str) -> None:
    with pytest.raises(NetworkError) as caught:
        parse_json(data, "f.json")
    assert says in str(caught.value)
    assert str(caught.value).startswith("f.json")


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1}', "f") == {"a": 1}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json", "a\0b"):
        with pytest.raises(NetworkError, match="cannot be read"):
            read_document(path)


def test_a_node_names_its_path() -> None:
    node = Node({"a": [{"b": "x" * 200}]}, "f")
    inner = node.child("a").child(0).child("b")
    assert inner.path == "a[0].b"
    with pytest.raises(NetworkError) as caught:
        inner.integer(16)
    text = str(caught.value)
    assert text.startswith("f: at a[0].b: 'xxx")
    assert text.endswith("is not an integer from 0 to 65535")
    assert len(text) < 150


def test_a_key_cannot_write_to_the_terminal() -> None:
    assert Node({"\x1b[31mred\n": 1}, "f").child("\x1b[31mred\n").path == "?[31mred?"


@pytest.mark.parametrize("value", [True, -1, 65536, 1.0, "1", None, []])
def test_integers_are_integers(value: object) -> None:
    with pytest.raises(NetworkError):
        Node(value, "f").integer(16)
