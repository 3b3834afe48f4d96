"""scapy's packets, against the project's own reader; `lfilter` in a real `sniff` of a file."""

from __future__ import annotations

import warnings

import pytest

import ztfast
from tests.adapters.office import CAPTURE, engine, wanted
from ztfast.adapters import scapy as adapter

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("scapy.all", reason="scapy is not installed", exc_type=ImportError)
    from scapy.all import IP, TCP, UDP, Dot1Q, Ether, IPv6, Raw, rdpcap, sniff

pytestmark = pytest.mark.filterwarnings("ignore")


def test_verdicts_are_those_of_the_capture() -> None:
    _, _, verdicts = wanted()
    found = adapter.evaluate(engine(), rdpcap(str(CAPTURE)))
    assert found.accepted.tolist() == verdicts.accepted.tolist()
    assert found.line.tolist() == verdicts.line.tolist()
    assert found.copy_length.tolist() == verdicts.copy_length.tolist()


def test_lfilter() -> None:
    _, _, verdicts = wanted()
    kept = sniff(offline=str(CAPTURE), lfilter=adapter.lfilter(engine()))
    assert 0 < len(kept) == int(verdicts.accepted.sum()) < 221


def test_packets_that_were_made() -> None:
    rules = ztfast.Engine(ztfast.compile("accept dport 22;\ndrop;"))
    packets = [Ether() / IP() / TCP(dport=port) for port in (22, 23)]
    packets.append(Ether() / IPv6() / UDP(dport=22))
    packets.append(Ether() / Dot1Q() / IP() / TCP(dport=22))  # tagged: as a node reads its tap
    assert adapter.evaluate(rules, packets).accepted.tolist() == [True, False, True, False]
    assert adapter.evaluate(rules, [IP() / TCP(dport=22)]).accepted.tolist() == [True]


def test_original_length() -> None:
    packet = Ether(bytes(60))
    packet.wirelen = 1014
    assert adapter.batch([packet]).lengths.tolist() == [1014]


@pytest.mark.parametrize("packets", [[Raw(b"x")], [IP(), Ether()]], ids=["raw", "mixed"])
def test_what_cannot_be_judged(packets: list[object]) -> None:
    with pytest.raises(ztfast.FrameError, match="link layer"):
        adapter.batch(packets)
    assert adapter.lfilter(engine())(Raw(b"x")) is False


def test_none_at_all() -> None:
    assert len(adapter.evaluate(engine(), [])) == 0
