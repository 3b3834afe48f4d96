from __future__ import annotations

import pytest

from tests.lsp.texts import RULES, at, cursor
from ztfast.lsp.hover import hover
from ztfast.network.members import Member, Network

NETWORK = Network(members=(Member(0x8E30F50A25, name="sensor"),))


def said(part: str, text: str = RULES, network: Network | None = None) -> str:
    document, offset = at(part, text)
    found = hover(document, offset, network)
    return "" if found is None else found.text


def test_a_match_has_its_meaning_type_and_entry() -> None:
    text = said("and d|port 22")
    assert text.startswith("**dport** PORT\n\nTrue where the destination port is in the range")
    assert "`MATCH_IP_DEST_PORT_RANGE`" in text
    assert '{"type": "MATCH_IP_DEST_PORT_RANGE", "not": false, "or": false, "start": 22' in text


def test_a_prefix_shows_the_entry_of_its_version() -> None:
    document, offset = cursor("accept ipsr|c fd00::/8;")
    found = hover(document, offset)
    assert found is not None
    assert "`MATCH_IPV4_SOURCE` or `MATCH_IPV6_SOURCE`" in found.text
    assert '"type": "MATCH_IPV6_SOURCE"' in found.text


def test_where_nothing_compiles_the_meaning_stays() -> None:
    document, offset = cursor("accept dpo|rt eighty;")
    found = hover(document, offset)
    assert found is not None
    assert "MATCH_IP_DEST_PORT_RANGE" in found.text
    assert "json" not in found.text


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("te|e 128", "**tee** LENGTH ADDRESS\n\nThe action sends a copy"),
        ("ipprotocol icm|p4", "ipprotocol: `icmp4` is 1"),
        ("teq depart|ment", "tag `department`, id 1000, default 100\n\n- `sales` = 100"),
        ("teq department sal|es", "`sales` is 100 of the tag `department`"),
        ("include we|b(80)", "macro `web($port)`"),
        ("dport $p|ort", "`$port`: a parameter of the macro `web`"),
        ("cap s|sh", "capability `ssh`, id 7, held by default"),
        ("ca|p ssh", "**cap**: rules for those members that hold it"),
        ("an|d tand", "**and**: "),
    ],
)
def test_words(part: str, text: str) -> None:
    assert said(part).startswith(text)


def test_an_address_is_a_member() -> None:
    assert said("tee 128 8e30|f50a25", network=NETWORK) == "`8e30f50a25` is the member `sensor`"
    assert said("tee 128 8e30|f50a25", network=Network()).endswith("is not a member of the network")
    assert said("tee 128 8e30|f50a25") == ""


def test_comments_say_nothing() -> None:
    document, offset = cursor("drop; # dp|ort 80")
    assert hover(document, offset) is None


def test_a_name_cannot_leave_its_code_span() -> None:
    assert "`[x](command:y)`" not in said("teq depart|ment")
    document, offset = cursor("macro m($`[x](y)) accept dport |$`[x](y);; ")
    found = hover(document, offset)
    assert found is None or found.text.count("`") % 2 == 0
