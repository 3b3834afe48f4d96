"""Results of searches and comparisons as lines and objects; no solver is asked."""

from __future__ import annotations

from ztfast.frames.notation import parse_frame
from ztfast.proof.diff import Change, Difference
from ztfast.proof.render import (
    diff_json,
    diff_lines,
    hex_text,
    merged,
    search_json,
    search_lines,
    verdict_words,
    witness_json,
)
from ztfast.proof.search import SearchResult
from ztfast.proof.symbolic_policy import WitnessVerdict
from ztfast.proof.verdict_classes import VerdictText

MACS = "mac 02:00:00:00:00:01 > 02:00:00:00:00:02"
FRAME = parse_frame(f"ethertype 0x88cc data 0102 {MACS}").frame
TEXT = "ethertype 0x88cc, 02:00:00:00:00:01 > 02:00:00:00:00:02, 2 bytes"
HEX = "hex:02000000000202000000000188cc0102"
DROPPED = WitnessVerdict(VerdictText("dropped"), "by `drop` in line 2")
COPIED = WitnessVerdict(VerdictText("accepted", ("tee of 2 bytes",)), "by `accept` in line 3")


def test_a_search() -> None:
    result = SearchResult(FRAME, "sender holds web", COPIED)
    assert search_lines(result, "accept") == [
        f"{TEXT}: accepted, tee of 2 bytes by `accept` in line 3",
        "  where: sender holds web",
        f"  --frame {HEX}",
    ]
    assert search_json(result) == {
        "found": True,
        "proved": False,
        "witness": witness_json(FRAME, "sender holds web"),
        "verdict": "accepted, tee of 2 bytes",
        "by": "by `accept` in line 3",
    }


def test_a_search_with_a_vlan_and_nothing_to_say() -> None:
    result = SearchResult(FRAME._replace(vlan=5), "", DROPPED)
    assert search_lines(result, "drop") == [
        f"{TEXT}: dropped by `drop` in line 2",
        f"  --frame '{HEX} vlan 5'",
    ]


def test_a_search_that_proves_there_is_none() -> None:
    assert search_lines(None, "tee") == [
        "no frame gets `tee`: proved for every frame, member and draw asked for"
    ]
    assert search_json(None) == {"found": False, "proved": True}


def test_a_difference() -> None:
    found = Difference((Change("ARP", FRAME, "VLAN 5", DROPPED, COPIED),), False, "no time")
    assert diff_lines(found) == [
        "ARP:",
        "  dropped by `drop` in line 2",
        "  now accepted, tee of 2 bytes by `accept` in line 3",
        f"  such as {TEXT}",
        "    (VLAN 5)",
    ]
    assert diff_json(found) == {
        "complete": False,
        "open": "no time",
        "changes": [
            {
                "frames": "ARP",
                "old": {"verdict": "dropped", "by": "by `drop` in line 2"},
                "new": {"verdict": "accepted, tee of 2 bytes", "by": "by `accept` in line 3"},
                "witness": witness_json(FRAME, "VLAN 5"),
            }
        ],
    }


def test_classes_that_say_the_same_are_one() -> None:
    one = Change("ARP", FRAME, "VLAN 5", DROPPED, COPIED)
    other = Change("ARP", FRAME, "VLAN 6", DROPPED, COPIED)
    third = Change("ARP", FRAME, "VLAN 6", COPIED, DROPPED)
    found = Difference((one, other, third), True)
    assert merged(found.changes) == [one, third]
    assert len(diff_json(found)["changes"]) == 2


def test_no_difference() -> None:
    assert diff_lines(Difference((), True)) == ["no difference: proved for every frame"]
    assert diff_lines(Difference((), False, "no time")) == [
        "something may differ: nothing was proved in time"
    ]
    assert diff_json(Difference((), True)) == {"complete": True, "open": None, "changes": []}


def test_a_witness() -> None:
    assert hex_text(FRAME) == HEX
    assert witness_json(FRAME, "") == {"text": TEXT, "hex": HEX, "vlan": 0, "circumstances": ""}
    assert parse_frame(hex_text(FRAME)).frame == FRAME


def test_members_are_called_by_name_where_they_have_one() -> None:
    copies = (
        "tee of 60 bytes to 1122334455 at the sender",
        "watch of 60 bytes to 1122334456 at the receiver",
    )
    action = "redirected to 2233445566 at the sender"
    found = WitnessVerdict(VerdictText(action, copies), "by `x`")
    names = {0x1122334455: "to 2233445566 at the bar", 0x2233445566: "proxy"}
    assert verdict_words(found, names) == (
        "redirected to proxy at the sender, tee of 60 bytes to to 2233445566 at the bar at the"
        " sender, watch of 60 bytes to 1122334456 at the receiver by `x`"
    )
    assert verdict_words(found) == str(found)
