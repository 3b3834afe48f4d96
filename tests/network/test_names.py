"""Members by name, address and IP; and frames whose text names them."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from ztfast.errors import FrameError, UsageError
from ztfast.frames.notation import parse_frame
from ztfast.network.members import Member, Network, make_network
from ztfast.network.names import MemberNames

ANNA, FILES, TWIN, OTHER, GONE = (0x1111111111 * n for n in range(1, 6))


def packed(*texts: str) -> tuple[bytes, ...]:
    return tuple(ip_address(text).packed for text in texts)


def network() -> Network:
    return make_network(
        [
            Member(ANNA, ips=packed("10.0.0.1", "fd00::1"), name="anna"),
            Member(FILES, ips=packed("fd00::2"), name="Files"),
            Member(TWIN, ips=packed("10.0.0.3"), name="twin"),
            Member(OTHER, ips=packed("10.0.0.3", "10.0.0.4"), name="TWIN"),
            Member(GONE, name="gone", authorized=False),
        ],
        id=0x8056C2E21C000001,
    )


NAMES = MemberNames(network())


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("anna", ANNA),
        ("ANNA", ANNA),
        ("files", FILES),
        ("1111111111", ANNA),
        ("10.0.0.1", ANNA),
        ("fd00:0::2", FILES),
        ("twin", TWIN),  # as it is written, before others in another case
        ("10.0.0.4", OTHER),
        ("10.0.0.3", None),  # two have it
        ("gone", None),
        ("5555555555", None),
        ("nobody", None),
    ],
)
def test_who_is_meant(text: str, address: int | None) -> None:
    found = NAMES.find(text)
    assert (None if found is None else found.address) == address


def test_two_of_one_name() -> None:
    with pytest.raises(UsageError, match=r"2 members have the name 'Twin'.*") as error:
        NAMES.find("Twin")
    assert error.value.diagnostics[0].help == "use one of 3333333333, 4444444444"


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("ana", "did you mean anna?"),
        ("fi", "did you mean Files?"),
        ("x", "members are anna, Files, twin, TWIN"),
    ],
)
def test_nobody_of_that_name(text: str, help: str) -> None:
    with pytest.raises(UsageError, match=f"--from: '{text}' is not a member of") as error:
        NAMES.member("--from", text)
    assert error.value.diagnostics[0].help == help


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        # IPv6, as files has nothing else; `ssh` is 22
        ("tcp anna > files:ssh syn", "tcp fd00::1 > [fd00::2]:22 syn"),
        ("udp anna:dns > 4444444444:5000", "udp 10.0.0.1:53 > 10.0.0.3:5000"),
        ("ping anna > files", "icmp fd00::1 > fd00::2 echo-request"),
        ("ping 10.0.0.1 > 10.0.0.4", "icmp 10.0.0.1 > 10.0.0.4 echo-request"),
        ("arp anna ? twin", "arp 10.0.0.1 > 10.0.0.3"),
        ("ip anna > 10.0.0.9 proto 47", "ip 10.0.0.1 > 10.0.0.9 proto 47"),
    ],
)
def test_frames_name_members_and_services(text: str, plain: str) -> None:
    found, expected = parse_frame(text, NAMES), parse_frame(plain)
    assert found.frame == expected.frame
    assert (found.source, found.dest) == (expected.source, expected.dest)


def test_a_named_end_is_that_member() -> None:
    found = parse_frame("tcp anna > 10.0.0.3:80", NAMES)
    assert (found.zt_source, found.zt_dest) == (ANNA, None)
    given = parse_frame("tcp anna > files:80 zt 5555555555 > 6666666666", NAMES)
    assert (given.zt_source, given.zt_dest) == (0x5555555555, 0x6666666666)


def test_a_member_without_addresses_is_said_so() -> None:
    bare = make_network(
        [Member(ANNA, ips=packed("10.0.0.1"), name="anna"), Member(GONE, name="new")]
    )
    for text in ("ping anna > new", "arp new ? anna"):
        with pytest.raises(FrameError, match="this member has no IP addresses"):
            parse_frame(text, MemberNames(bare))


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("tcp ana > files:80", "'ana' is neither a member nor an IP address", 4),
        ("tcp anna > files:sssh", "'sssh' is not a port", 11),
        ("ping twin > files", "no IP version in common: twin IPv4, files IPv6", 12),
        ("tcp files:22 > twin:22", "no IP version in common: files IPv6, twin IPv4", 15),
        ("ping 10.0.0.1 > files", "no IP version in common: 10.0.0.1 IPv4, files IPv6", 16),
        ("ping 10.0.0.1 > fd00::1", "one address is IPv4 and the other IPv6", 16),
        ("icmp6 anna > twin", "icmp6 is for IPv6", 6),
        ("arp files ? anna", "ARP is for IPv4", 4),
        ("tcp anna ? twin", "`>` is wanted here", 9),
    ],
)
def test_what_is_wrong_is_underlined(text: str, message: str, column: int) -> None:
    with pytest.raises(FrameError, match=message) as error:
        parse_frame(text, NAMES)
    span = error.value.diagnostics[0].span
    assert span is not None
    assert span.start == column


SPOKEN = make_network(
    [
        Member(ANNA, ips=packed("10.0.0.1", "fd00::1"), name="Anna's laptop"),
        Member(FILES, ips=packed("10.0.0.2", "fd00::2"), name="R&D <3>: files"),
        Member(TWIN, ips=packed("10.0.0.3"), name="twin"),
        Member(OTHER, ips=packed("10.0.0.4"), name="twin"),
        Member(GONE, ips=packed("10.0.0.5"), name="10.0.0.1"),
    ],
    id=0x8056C2E21C000001,
)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ('ping "anna\'s laptop" > "twin (3333333333)"', "ping 10.0.0.1 > 10.0.0.3"),
        ('tcp "R&D <3>: files":ssh > "Anna\'s laptop"', "tcp 10.0.0.2:22 > 10.0.0.1"),
        ('arp "Anna\'s laptop" ? "twin (4444444444)"', "arp 10.0.0.1 > 10.0.0.4"),
        ('ping "10.0.0.1" > 10.0.0.1', "ping 10.0.0.5 > 10.0.0.1"),  # the name; the address
        (
            'icmp6 "Anna\'s laptop" > "R&D <3>: files" neighbour-solicitation',
            "icmp fd00::1 > fd00::2 type 135",
        ),
    ],
)
def test_names_of_several_words_stand_in_quotes(text: str, plain: str) -> None:
    found, expected = parse_frame(text, MemberNames(SPOKEN)), parse_frame(plain)
    assert (found.frame, found.source, found.dest) == (
        expected.frame,
        expected.source,
        expected.dest,
    )


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("ping anna > twin", "'anna' is neither a member", 'did you mean "Anna\'s laptop"?'),
        ("ping r&d > twin", "'r&d' is neither a member", 'did you mean "R&D <3>: files"?'),
        ('ping "R&D > twin', "a quote is not closed", 'as: "two words":443'),
        ('tcp 1111111111 > "R&D:22', "a quote is not closed", 'as: "two words":443'),
        (
            "ping twn > 1111111111",
            "'twn' is neither a member",
            'did you mean "twin (3333333333)" or "twin (4444444444)"?',
        ),
        (
            'icmp "twin (3333333333)" > 4444444444 router-solicitation',
            "is not a message of IPv4",
            "it is one of IPv6: write icmp6",
        ),
    ],
)
def test_what_to_write_for_such_names(text: str, message: str, help: str) -> None:
    with pytest.raises(FrameError) as error:
        parse_frame(text, MemberNames(SPOKEN))
    (found,) = error.value.diagnostics
    assert message in found.message
    assert found.help == help


def test_without_members_a_name_is_no_address() -> None:
    with pytest.raises(FrameError, match="'anna' is not an IP address"):
        parse_frame("ping anna > files")
