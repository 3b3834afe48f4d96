"""Ways that close, which of them are allowed, and the way to the controller itself."""

from __future__ import annotations

import pytest

from tests.deploy.controller import OLD, running
from tests.deploy.deploying import NO_ARP, controller
from ztfast.deploy.losses import loss_texts, losses, matrices, own_way, parse_allowed
from ztfast.errors import UsageError
from ztfast.lang import compile_text
from ztfast.network.members import Member, Network, make_network


def network() -> Network:
    with running() as fake:
        return controller(fake).read().read_network()


def test_ways_that_close() -> None:
    net = network()
    old, new = compile_text(OLD), compile_text(OLD.replace("dport 443", "dport 22"))
    found = losses(*matrices(old, new, net, ["https", "ssh"], "1.14"))
    assert loss_texts(found, net) == [
        f"{one}>{other}:https"
        for one in ("anna", "ben", "files")
        for other in ("anna", "ben", "files")
        if one != other
    ]
    assert not losses(*matrices(old, old, net, None, "1.14"))
    everything = losses(*matrices(old, compile_text(NO_ARP), net, None, "1.14"))
    assert {loss.service for loss in everything} == {"ping", "https"}


def test_what_may_be_lost() -> None:
    net = network()
    old, new = compile_text(OLD), compile_text(OLD.replace("dport 443", "dport 22"))
    found = losses(*matrices(old, new, net, ["https"], "1.14"))
    for text, count in {
        "anna>files:https": 1,
        "anna>files:443/tcp": 0,  # the same port under another name is another service
        "1122334400>*:*": 2,
        "*>files:https": 2,
        "*>*:ssh": 0,
        " * > * : * ": 6,
    }.items():
        allowed = parse_allowed(text, net)
        assert sum(allowed.covers(loss) for loss in found) == count, text


@pytest.mark.parametrize("text", ["anna", "anna>files", "anna>nobody:ssh", "anna>files:what", ">:"])
def test_what_is_no_way(text: str) -> None:
    with pytest.raises(UsageError):
        parse_allowed(text, network())


def test_the_way_to_the_controller() -> None:
    """Both ends must be members: here the loopback's address stands for the network's."""
    here, other = Member(1, (bytes([127, 0, 0, 1]),)), Member(2, (bytes([127, 0, 0, 2]),))
    net = make_network([here, other], id=1)
    assert own_way(net, "127.0.0.1", 9993) is None  # a machine needs no way to itself
    assert own_way(net, "127.0.0.2", 9993) == (here, other)
    assert own_way(make_network([other], id=1), "127.0.0.2", 9993) is None
    assert own_way(net, "no such host.invalid", 9993) is None
