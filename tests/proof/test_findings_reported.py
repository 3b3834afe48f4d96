"""Rules that people reported, word for word: each trap is found, and nothing else is said."""

from __future__ import annotations

from pathlib import Path

import pytest

import ztfast
from tests.needs import needs
from ztfast.errors import Diagnostic, Source
from ztfast.explain.contexts import ContextResolver, with_member_macs
from ztfast.explain.explain import explain
from ztfast.frames.notation import parse_frame
from ztfast.lang.lint import check
from ztfast.network.names import MemberNames
from ztfast.proof import findings
from ztfast.proof.search import SearchQuery, search

pytestmark = needs("z3")

DATA = Path(__file__).parents[1] / "data" / "reported"
FOUND = {
    "01-rules": {"ZT211:6"},
    "02-rules": {"ZT210:3"},
    "02-no-ndp": {"ZT210:1"},
    "02-tagged": {"ZT211:6"},
    "04-rules": {"ZT130:1"},
    "10-rules": {"ZT037:2"},
    "11-dash": {"ZT126:1", "ZT208:1", "ZT210:0"},
    "11-icmp6": {"ZT011:1"},
    "11-nbsp": {"ZT011:1", "ZT013:2"},
    "11-words": {"ZT010:1", "ZT010:2"},
    "16-rules": set(),
    "exactness-and-of-ports": {"ZT203:8"},
    "exactness-break-on-tags-blocks-arp": {"ZT117:3", "ZT117:4", "ZT114:5", "ZT211:8"},
    "exactness-no-arp": {"ZT210:3"},
    "exactness-redundant-protocol-in-capability": set(),
    "exactness-unclosed-tag": {"ZT037:14"},
    "workbench-c1": {"ZT208:2", "ZT210:0"},
    "workbench-c3": {"ZT208:1", "ZT126:1", "ZT103:3", "ZT119:3"},
    "workbench-c4": {"ZT208:2", "ZT210:0", "ZT119:3"},
    "workbench-f2": {"ZT211:2"},
    "workbench-faq": {"ZT211:7"},
}


def text_of(name: str) -> str:
    return (DATA / f"{name}.ztrules").read_text(encoding="utf-8")


def said(name: str) -> list[Diagnostic]:
    """What `ztfast check` says: of the text, and what is proved of one without errors."""
    policy, found = check(Source(name, text_of(name)))
    return [*found, *(findings(policy, time_limit=None) if policy is not None else ())]


@pytest.mark.parametrize("name", FOUND)
def test_what_is_found(name: str) -> None:
    found = said(name)
    assert {f"{one.code}:{one.span.line if one.span else 0}" for one in found} == FOUND[name]
    assert all(one.help for one in found)


def test_every_report_is_there() -> None:
    assert {path.stem for path in DATA.glob("*.ztrules")} == set(FOUND)


def test_no_witness_for_a_broadcast_with_a_known_receiver() -> None:
    policy = ztfast.compile(text_of("01-rules"))
    where = "ethertype arp and chr broadcast"
    query = SearchQuery("accept", where, from_tags=("kiosk=0",), to_tags=("kiosk=desk",))
    assert search(policy, query) is None


def test_no_member_is_macauth() -> None:
    network = ztfast.load_network(DATA / "04-net.json")
    resolver = ContextResolver(ztfast.compile(text_of("04-rules")), network)
    spec = parse_frame("udp 172.16.2.3 > 172.16.2.200:53", MemberNames(network))
    found = explain(resolver, resolver.contexts(with_member_macs(spec, network)))
    assert found.verdict == "drop"
