"""`--to`: what can be written, and what is refused with what to write."""

from __future__ import annotations

import pytest

from ztfast.errors import UsageError
from ztfast.live.targets import Target, Vxlan, read_target, read_targets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-", (None, "stdout", "-", None)),
        ("packet:veth1", (None, "packet", "veth1", None)),
        ("sensor=packet:veth1", ("sensor", "packet", "veth1", None)),
        ("8e30f50a25=-", ("8e30f50a25", "stdout", "-", None)),
        ("fifo:/run/a=b", (None, "fifo", "/run/a=b", None)),
        ("sensor=fifo:/run/a=b:c", ("sensor", "fifo", "/run/a=b:c", None)),
        ("pcap:out/day", (None, "pcap", "out/day", None)),
        ("vxlan:10.0.0.1/42", (None, "vxlan", "10.0.0.1/42", Vxlan("10.0.0.1", 4789, 42))),
        ("vxlan:ids:8472/0", (None, "vxlan", "ids:8472/0", Vxlan("ids", 8472, 0))),
        ("vxlan:[::1]:1/16777215", (None, "vxlan", "[::1]:1/16777215", Vxlan("::1", 1, 16777215))),
    ],
)
def test_places(text: str, expected: tuple[object, ...]) -> None:
    assert read_target(text) == Target(text, *expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a place"),
        ("veth1", "is not a place"),
        ("packet:", "is not a place"),
        ("udp:10.0.0.1", "is not a place"),
        ("packet:a b", "not an interface's name"),
        ("packet:sixteen-and-more-", "not an interface's name"),
        ("packet:..", "not an interface's name"),
        ("vxlan:10.0.0.1", "is not a VXLAN"),
        ("vxlan:::1/5", "is not a VXLAN"),
        ("vxlan:h:0/5", "port 0 is none"),
        ("vxlan:h:65536/5", "port 65536 is none"),
        ("vxlan:h/16777216", "24 bits"),
        ("fifo:a\0b", "no zero byte"),
    ],
)
def test_what_is_none(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_target(text)


def test_a_place_is_named_once() -> None:
    assert len(read_targets(("-", "packet:a", "packet:b"))) == 3
    with pytest.raises(UsageError, match="one place"):
        read_targets(("packet:a", "sensor=packet:a"))
