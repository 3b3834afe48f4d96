"""Warnings: where they stand, what they say, when they do not come."""

from __future__ import annotations

import json

import pytest

from tests.lang.vectors import vectors
from ztfast.errors import Source
from ztfast.lang import compile_text, load_json
from ztfast.lang.lint import MAX_FINDINGS, check
from ztfast.lang.lint_entries import old_controllers_misread

ACCEPT = {"type": "ACTION_ACCEPT"}


def found(text: str) -> list[tuple[str, int, int] | tuple[str]]:
    _, findings = check(Source("t", text))
    return [(f.code, f.span.line, f.span.column) if f.span else (f.code,) for f in findings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("ZT125",)]),
        ("accept;", []),
        ("accept ;\n;\n# nothing\n", []),
        ("accept;\ndport 80 ;", [("ZT101", 1, 0)]),
        ("accept;\ntag t id 1 ;", [("ZT011", 2, 0)]),
        ("accept dport 80\nbreak ;", [("ZT102", 1, 0)]),
        ("cap c id 1 accept;", []),  # the end of the file closes all
        ("cap c id 1 accept; ", [("ZT103", 1, 11)]),
        # as the official manual has it: the capability's own `;` closes nothing
        ("cap c id 1 accept; # all\n;\naccept;", []),
        ("cap c id 1 accept; ;", []),
        ("cap c id 1 accept; drop dport 1 ; ; accept;", [("ZT103", 1, 11)]),
        ("accept dport 1 and dport 2 ;", []),
        ("accept dport 1 or dport 2 or dport 3 ;", []),
        ("accept dport 1 and dport 2 or dport 3 ;", [("ZT105", 1, 30)]),
        ("accept dport 1 or dport 2 dport 3 ;", [("ZT105", 1, 26)]),
        ("accept chr macauth ;", [("ZT130", 1, 7)]),
        ("accept chr macauth,ipauth ;", []),
        ("accept or dport 1 or dport 2 ;", [("ZT106", 1, 10)]),
        ("accept chr tcp_syn,tcp_ack,62 ;", []),
        ("accept chr inbound ;", []),
        ("accept chr 31,1,2 ;", [("ZT107", 1, 7)]),
        ("accept chr 5x ;", [("ZT126", 1, 7)]),
        ("redirect zzzzzzzzzz dport 1 ;", [("ZT108", 1, 0)]),
        ("accept ipsrc 999.1.1.1/8 ;", [("ZT108", 1, 7)]),
        ("accept ipsrc 010.1.1.1/32 ;", [("ZT108", 1, 7)]),
        ("accept ipsrc fe80::%eth0/10 ;", [("ZT108", 1, 7)]),
        ("accept ipsrc 10.0.0.0/33 and ipdest fd00::/129 ;", [("ZT109", 1, 7), ("ZT109", 1, 29)]),
        ("accept ipsrc 0.0.0.0/ ;", [("ZT109", 1, 7)]),
        ("accept ipsrc ::/0 and ipdest 10.0.0.0/8 ;", []),
        ("accept ipsrc fd00::1/127 ;", [("ZT110", 1, 7)]),
        ("accept ipsrc fd00::1/128 ;", []),
        ("accept ipsrc 10.0.0.1/31 ;", [("ZT111", 1, 7)]),
        ("accept vlan 65536 ;", [("ZT112", 1, 7)]),
        ("accept vlanpcp 256 ;", [("ZT112", 1, 7)]),
        ("macro a($x) accept dport 1 ; ;\nmacro b($y) include a($y) ;\ninclude b(1)",
         [("ZT113", 2, 20)]),
        ("tag t id 1 default b flag 31 b ;\naccept teq t 1 ;",
         [("ZT115", 1, 19), ("ZT117", 1, 29)]),
        ("tag t id 1 default 7x ;\naccept teq 1 1 ;", []),
        ("macro m(p) accept dport 1 ; ;\ninclude m(1)", [("ZT117", 1, 6)]),
        ("macro M($P) accept dport 1 ; ;\ninclude m(1)", [("ZT117", 1, 6)]),
        ("tag t id 1 enum 1 a flag 1 a ;\naccept teq t a ;", [("ZT117", 1, 18)]),
        ("tag t id 1 enum 1 Drop flag 1 icmp ;\naccept teq t 1 ;",
         [("ZT117", 1, 18), ("ZT117", 1, 30)]),
        ("macro m($a,$b accept dport $b ; ;\ninclude m(1,2)", [("ZT127", 1, 6)]),
        ("macro m($a, accept dport $a ; ;\ninclude m(1)", [("ZT127", 1, 6)]),
        ("macro m($a,$b) accept dport $b ; ;\ninclude m(1)2)\ninclude m(1,,2)",
         [("ZT127", 2, 8), ("ZT127", 3, 8)]),
        ("macro m(,$a) accept dport $a ; ;\ninclude m(,1,2)\nmacro n() accept dport 1 ; ;\n"
         "include n()", []),
        ("cap Big id 1 accept dport 1 ; ;", []),
        ("tag t id 1 ;\naccept teq t 1 ;", []),
        ("tag t id 1 ;\naccept teq 1 1 ;", []),
        ("tag t id 1 ;\naccept teq 2 1 ;", [("ZT118", 1, 4)]),
        ("macro m frob ; ;\naccept;", [("ZT118", 1, 6)]),
        ("cap c id 1 break dport 1 ; accept dport 2 ; ;", []),
        ("redirect 8e30f50a25 dport 1 ;", []),
        ("accept random 0.5x ;", [("ZT126", 1, 7)]),
        ("accept random abc and dport 0x50-90 ;", [("ZT126", 1, 7)]),
        ("accept dport 1-2x ;", [("ZT126", 1, 7)]),
        ("accept icmp 8 x ;", [("ZT126", 1, 7)]),
        ("accept ethertype ipv4 and ipprotocol 6x ;", [("ZT126", 1, 26)]),
        ("tee x 8e30f50a25 ;\naccept;", [("ZT126", 1, 4)]),
    ],
)  # fmt: skip
def test_findings(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("accept dport 1 ;\n" * 512 + "tee 1 8e30f50a25;\n", "ZT121"),
        ("cap c id 1\n" + "accept dport 1 ;\n" * 33 + ";", "ZT122"),
        ("".join(f"cap c{i} id {i} default accept dport 1 ; ;\n" for i in range(129)), "ZT123"),
        ("".join(f"tag t{i} id {i} default 1 ;\naccept teq t{i} 1 ;\n" for i in range(129)),
         "ZT124"),
    ],
)
def test_limits_of_a_network(text: str, code: str) -> None:
    assert [finding[0] for finding in found(text)] == [code]
    fewer = text.replace("tee 1 8e30f50a25;\n", "").replace("accept dport 1 ;\n", "", 1)
    fewer = fewer.replace("id 128 default", "id 128").replace(" 128 1 ;", " 128 ;")
    assert found(fewer.replace("id 128 1 ;", "id 128 ;")) == []


def test_ports_joined_by_or_are_only_noted() -> None:
    """As the official manual writes them; what is mixed otherwise is warned of."""
    usual = "accept ipprotocol tcp and dport 22 or dport 80 or dport 443 ;"
    for text, severity in (
        (usual, "note"),
        (usual.replace("or dport 443", "and dport 443"), "warning"),
        (usual.replace("ipprotocol tcp", "ipsrc 10.0.0.0/8"), "warning"),
        (usual.replace("or dport 443", "or sport 443"), "warning"),
        ("accept dport 22 or dport 80 and ipprotocol tcp ;", "warning"),
    ):
        _, findings = check(Source("t", text))
        assert [(one.code, one.severity) for one in findings] == [("ZT105", severity)], text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("accept chr macauth ;", "`chr macauth` is never true on a real network"),
        ("drop not chr macauth ; accept ;", "`not chr macauth` is always true on a real network"),
        ("cap c id 1 accept dport 22;; ;", "a blank must stand before each `;`"),
        # the block is closed by what was to be a rule of its own
        ("cap c id 1\n accept dport 22;\naccept;\n", "`;` that closes the `cap` is missing"),
        ("macro m($a)\n accept dport $a;\ninclude m(1)\naccept;\n", "the `macro` is missing"),
    ],
)
def test_what_is_said(text: str, part: str) -> None:
    _, findings = check(Source("t", text))
    assert any(part in f"{one.message} {one.help}" for one in findings), findings


def test_json_is_checked_too() -> None:
    rules = [{"type": "MATCH_VLAN_ID", "vlanId": 1 << 20}, {"type": "ACTION_DROP"}]
    policy, findings = check(Source("j", json.dumps(rules)))
    assert policy is not None
    assert [(f.code, f.message.partition(":")[0]) for f in findings] == [
        ("ZT112", "entry 0 of the base rules"),
        ("ZT125", "no action accepts"),
    ]
    assert check(Source("j", '[{"type": "X"}]'))[0] is None


@pytest.mark.parametrize(
    ("mac", "reads"),
    [
        ("b0b9.d589.8e64", "b0:b9:0d:58:90:8e"),
        ("abc", "ab:00:00:00:00:00"),
        ("zz:cc:72:55:bf:02:df", "00:cc:72:55:bf:02"),
        ("", "00:00:00:00:00:00"),
        ("0200000000011", "02:00:00:00:00:01"),
        ("02:00:00:00:00:01", None),
        ("02-00-00-00-00-01", None),
        ("0200:0000:0001", None),
        ("02000000000A", None),
    ],
)
@pytest.mark.parametrize("kind", ["MATCH_MAC_SOURCE", "MATCH_MAC_DEST"])
def test_macs_of_json_that_a_controller_reads_otherwise(
    mac: str, reads: str | None, kind: str
) -> None:
    _, findings = check(Source("j", json.dumps([{"type": kind, "mac": mac}, ACCEPT])))
    (finding,) = [f for f in findings if f.code == "ZT128"] if reads else [None]
    assert finding is None or f"a controller reads {reads}" in finding.message
    assert reads or "ZT128" not in {f.code for f in findings}


def test_controllers_before_1_14_1_misread_colons() -> None:
    one = compile_text("drop macsrc 02:00:00:00:00:01;\naccept;\n")
    note = old_controllers_misread(one)
    assert note is not None
    assert (note.code, note.severity) == ("ZT129", "note")
    assert "misread a match of a MAC (`02:00:00:00:00:01`)" in note.message
    assert note.help
    more = compile_text(
        "cap c id 1 drop macdest 02:00:00:00:00:02; ;\ndrop macsrc 020000000001;\naccept;\n"
    )
    found = old_controllers_misread(more)  # the compiler writes colons whatever was written
    assert found is not None
    assert "misread 2 matches of MACs" in found.message
    assert old_controllers_misread(compile_text("accept;\n")) is None
    bare = load_json(json.dumps([{"type": "MATCH_MAC_SOURCE", "mac": "020000000001"}, ACCEPT]))
    assert old_controllers_misread(bare) is None


def test_comments_ignore_warnings() -> None:
    text = "accept or dport 1 ; # ztfast: ignore ZT106\naccept or dport 2 ;\n"
    assert found(text) == [("ZT106", 2, 10)]
    assert found("drop or dport 1 ; # ztfast: ignore\n# ztfast: ignore-file ZT125") == []
    assert found("accept or dport 1 ; # ztfast: ignore ZT105") == [("ZT106", 1, 10)]
    assert found("accept dprt 1 ; # ztfast: ignore ZT011") == [("ZT011", 1, 7)]
    assert found("# ztfast: ignore-file\ndrop or dport 1 ;") == []


def test_checking_agrees_with_compiling_and_changes_nothing() -> None:
    cases = vectors("compile") + vectors("compile-edge")
    assert len({"error" in case for case in cases}) == 2
    for case in cases:
        policy, findings = check(Source("v", case["source"]))
        assert ("error" in case) == any(f.severity == "error" for f in findings)
        assert (policy is None) == ("error" in case)
        if policy is not None:
            assert policy.to_json() == case["output"]
            assert all(f.help and f.code >= "ZT100" for f in findings)


def test_the_number_of_findings_is_bounded() -> None:
    assert len(found("accept or vlan 99999 ;\n" * 1500)) == MAX_FINDINGS
