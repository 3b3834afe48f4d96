"""Reading JSON entries as a controller does (docs/spec/evaluation.md section 10), each field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ztfast.model.entries import read_entries, read_entry
from ztfast.model.kinds import KINDS, Entry, Kind


def read(kind: str, **fields: Any) -> tuple[int | None, ...]:
    entry = read_entry({"type": kind, **fields})
    assert entry is not None
    return entry.value


@pytest.mark.parametrize(
    ("kind", "field", "bits"),
    [
        ("MATCH_VLAN_ID", "vlanId", 16),
        ("MATCH_ETHERTYPE", "etherType", 16),
        ("MATCH_VLAN_PCP", "vlanPcp", 8),
        ("MATCH_VLAN_DEI", "vlanDei", 8),
        ("MATCH_IP_PROTOCOL", "ipProtocol", 8),
        ("MATCH_RANDOM", "probability", 32),
        ("ACTION_PRIORITY", "qosBucket", 8),
    ],
)
def test_higher_bits_are_cut_off_and_missing_is_0(kind: str, field: str, bits: int) -> None:
    top = 1 << bits
    for given_, expected in (
        (top - 1, top - 1),
        (top, 0),
        (top + 5, 5),
        (-1, top - 1),
        (7.9, 7),
        (None, 0),
        ("12", 12),
        (" 12x", 12),
        ("x", 0),
        ("", 0),
        (True, 1),
        (False, 0),
        ([], 0),
        ({}, 0),
        (float("inf"), 0),
        (float("nan"), 0),
        ("9" * 30, top - 1),
        ("-1", top - 1),
    ):
        assert read(kind, **{field: given_}) == (expected,), given_
    assert read(kind) == (0,)


@pytest.mark.parametrize(
    "kind",
    ["MATCH_IP_SOURCE_PORT_RANGE", "MATCH_IP_DEST_PORT_RANGE", "MATCH_FRAME_SIZE_RANGE"],
)
def test_a_missing_end_is_the_start(kind: str) -> None:
    assert read(kind, start=5) == (5, 5)
    assert read(kind, start=5, end=None) == (5, 5)
    assert read(kind, start=5, end=0) == (5, 0)
    assert read(kind, start=65536 + 5, end=65536 + 6) == (5, 6)
    assert read(kind, end=6) == (0, 6)
    assert read(kind, start=65537) == (1, 1)


def test_icmp_code_missing_or_null_is_any() -> None:
    assert read("MATCH_ICMP", icmpType=256 + 8) == (8, None)
    assert read("MATCH_ICMP", icmpType=8, icmpCode=None) == (8, None)
    assert read("MATCH_ICMP", icmpType=8, icmpCode=0) == (8, 0)
    assert read("MATCH_ICMP", icmpType=8, icmpCode=256 + 3) == (8, 3)


def test_tos() -> None:
    assert read("MATCH_IP_TOS", mask=256 + 7, start=256 + 1, end=256 + 2) == (7, 1, 2)
    assert read("MATCH_IP_TOS", mask=7, start=1) == (7, 1, 0)


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("1122334455", 0x1122334455),
        ("aaBBccDDee", 0xAABBCCDDEE),
        ("ff1122334455", 0x1122334455),  # the low 40 bits
        ("0x22", 0x22),
        ("12zz", 0x12),
        ("zzzzzzzzzz", 0),
        ("-1", 0xFFFFFFFFFF),
        ("f" * 40, 0xFFFFFFFFFF),
        (22, 0x22),  # a number is read as the text it would be
        (None, 0),
        ([], 0),
    ],
)
def test_zerotier_addresses(raw: Any, address: int) -> None:
    assert read("MATCH_SOURCE_ZEROTIER_ADDRESS", zt=raw) == (address,)
    assert read("MATCH_DEST_ZEROTIER_ADDRESS", zt=raw) == (address,)
    assert read("ACTION_REDIRECT", address=raw) == (address,)
    assert read("ACTION_TEE", address=raw, length=-1) == (address, 65535)
    assert read("ACTION_WATCH", address=raw, length=65536 + 9) == (address, 9)


@pytest.mark.parametrize(
    ("raw", "mac"),
    [
        ("02:00:00:00:00:ff", 0x0200000000FF),
        ("0200000000FF", 0x0200000000FF),
        ("02-00-00-00-00-ff", 0x0200000000FF),
        ("b0b9.d589.8e64", 0xB0B90D58908E),  # a character that is not a digit is a 0
        ("abc", 0xAB0000000000),  # a last odd one is lost
        ("zz:cc:72:55:bf:02:df", 0x00CC7255BF02),
        ("0200000000ff99", 0x0200000000FF),  # the first 12
        ("02", 0x020000000000),  # padded behind
        ("", 0),
        (None, 0),
        (12, 0x120000000000),
    ],
)
def test_macs(raw: Any, mac: int) -> None:
    assert read("MATCH_MAC_SOURCE", mac=raw) == (mac,)
    assert read("MATCH_MAC_DEST", mac=raw) == (mac,)


@pytest.mark.parametrize(
    ("raw", "mask"),
    [
        ("8000000000000000", 1 << 63),
        ("0x10", 16),
        ("10", 16),
        (10, 10),
        ("1" + "0" * 16, (1 << 64) - 1),  # more than fits is the most that fits
        ("0" * 100 + "5", 5),
        ("-1", (1 << 64) - 1),
        (1 << 64, 0),
        (1.5, 1),
        ("xyz", 0),
        ("0xz", 0),
    ],
)
def test_masks(raw: Any, mask: int) -> None:
    assert read("MATCH_CHARACTERISTICS", mask=raw) == (mask,)


@pytest.mark.parametrize("raw", [True, False, None, [], ["10"], {}, {"mask": 1}])
def test_a_mask_that_a_controller_cannot_read_is_no_entry(raw: Any) -> None:
    assert read_entry({"type": "MATCH_CHARACTERISTICS", "mask": raw}) is None
    assert read("MATCH_CHARACTERISTICS") == (0,)  # one that is not there is 0


def test_integer_range() -> None:
    assert read("INTEGER_RANGE") == (0, 0, 0, 1, 0)
    assert read("INTEGER_RANGE", start="ff", end=255, idx=65536 + 3, bits=64, little=True) == (
        255,
        255,
        3,
        64,
        1,
    )
    assert read("INTEGER_RANGE", bits=None, little=None) == (0, 0, 0, 1, 0)


@pytest.mark.parametrize(
    ("raw", "v4", "v6"),
    [
        ("10.0.0.1/8", (0x0A000001, 8), (0, 8)),
        ("10.0.0.1", (0x0A000001, 0), (0, 0)),
        ("10.0.0.1/", (0x0A000001, 0), (0, 0)),
        ("10.0.0.1/40", (0x0A000001, 32), (0, 40)),
        ("10.0.0.1/264", (0x0A000001, 8), (0, 8)),
        ("10.0.0.1/-1", (0x0A000001, 32), (0, 128)),
        ("10.0.0.1/8/9", (0x0A000001, 8), (0, 8)),
        ("10.0.0.1/8x", (0x0A000001, 8), (0, 8)),
        ("10.0.0.1/x", (0x0A000001, 0), (0, 0)),
        ("10.0.0.1/" + "9" * 5000, (0, 0), (0, 0)),  # 64 characters are no address
        ("10.0.0.1/" + "9" * 55, (0, 0), (0, 0)),
        ("10.0.0.1/" + "9" * 54, (0x0A000001, 32), (0, 128)),
        ("10.0.0/8", (0, 8), (0, 8)),
        ("10.0.0.256/8", (0, 8), (0, 8)),
        ("010.0.0.1/8", (0, 8), (0, 8)),
        ("10.0.0.1 /8", (0, 8), (0, 8)),
        ("１.0.0.1/8", (0, 8), (0, 8)),
        ("10/8", (0, 0), (0, 0)),
        ("", (0, 0), (0, 0)),
        ("/8", (0, 0), (0, 0)),
        ("fd00::1/64", (0, 32), (0xFD << 120 | 1, 64)),
        ("FD00:0::1/64", (0, 32), (0xFD << 120 | 1, 64)),
        ("::ffff:10.0.0.1/128", (0, 32), (0xFFFF0A000001, 128)),
        ("fd00::1%eth0/64", (0, 32), (0, 64)),
        ("fd00:::1/64", (0, 32), (0, 64)),
        (":/64", (0, 32), (0, 64)),
        (None, (0, 0), (0, 0)),
        (5, (0, 0), (0, 0)),
        (["10.0.0.1/8"], (0, 0), (0, 0)),
    ],
)
def test_ip_addresses(raw: Any, v4: tuple[int, int], v6: tuple[int, int]) -> None:
    assert read("MATCH_IPV4_SOURCE", ip=raw) == read("MATCH_IPV4_DEST", ip=raw) == v4
    assert read("MATCH_IPV6_SOURCE", ip=raw) == read("MATCH_IPV6_DEST", ip=raw) == v6


@pytest.mark.parametrize(
    ("raw", "truth"),
    [
        (True, True),
        (False, False),
        (None, False),
        (1, True),
        (0, False),
        ("true", True),
        ("T", True),
        ("1", True),
        ("yes", False),
        ("", False),
        ([], False),
        ({}, False),
        (float("nan"), False),
        (0.5, False),
    ],
)
def test_not_and_or(raw: Any, truth: bool) -> None:
    entry = read_entry({"type": "MATCH_RANDOM", "not": raw, "or": raw})
    assert entry is not None
    assert (entry.inverted, entry.alternative) == (truth, truth)
    assert read_entry({"type": "MATCH_RANDOM"}) == Entry(Kind.MATCH_RANDOM, value=(0,))


@pytest.mark.parametrize(
    "rule",
    [
        None,
        5,
        "ACTION_ACCEPT",
        [],
        {},
        {"type": None},
        {"type": 1},
        {"type": "action_drop"},
        {"type": "ACTION_ACCEPT "},
        {"type": ["ACTION_ACCEPT"]},
    ],
)
def test_an_entry_without_a_known_type_is_left_out(rule: Any) -> None:
    assert read_entry(rule) is None
    entries = read_entries([rule, {"type": "ACTION_ACCEPT"}])
    assert [(entry.kind, entry.rule) for entry in entries] == [(Kind.ACTION_ACCEPT, 1)]


def test_the_limit_counts_what_is_kept() -> None:
    rules = [{}, {"type": "ACTION_DROP"}, {}, {"type": "ACTION_ACCEPT"}]
    assert [entry.rule for entry in read_entries(rules, 1)] == [1]
    assert [entry.rule for entry in read_entries(rules, 2)] == [1, 3]


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.text("0123456789abcdefx:./-+ %", max_size=80),
    st.lists(st.none(), max_size=1),
)


@given(st.sampled_from(sorted(Kind)), st.data())
def test_any_json_gives_numbers_within_their_widths(kind: Kind, data: st.DataObject) -> None:
    fields = {field.json: data.draw(SCALARS) for field in KINDS[kind].fields}
    entry = read_entry({"type": kind.name, **fields, "not": data.draw(SCALARS)})
    if entry is None:
        mask = fields["mask"]
        assert kind is Kind.MATCH_CHARACTERISTICS
        assert mask is None or isinstance(mask, bool | list)
        return
    widths: list[int] = []
    for field in KINDS[kind].fields:
        widths += [field.bits, 8] if field.form in ("cidr4", "cidr6") else [field.bits]
    assert len(entry.value) == len(widths), json.dumps(fields)
    for value, bits in zip(entry.value, widths, strict=True):
        assert value is None or 0 <= value < 1 << bits
