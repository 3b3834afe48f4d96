"""Rules to start from, each with cases that it passes: what `ztfast init` writes.

Contract: data only.  A template is without findings of `check`, and its cases pass and cover it.
Tested by tests/cli/test_init.py.
"""

from __future__ import annotations

from typing import NamedTuple


class Template(NamedTuple):
    """A set of rules: what it is for in a line, its text, and its cases (TOML)."""

    title: str
    rules: str
    cases: str


_FAMILIES = """\
# Nothing but IPv4, the ARP that it needs, and IPv6.
drop
  not ethertype ipv4
  and not ethertype arp
  and not ethertype ipv6
;
"""
_RESOLUTION = """\
# Members find each other by ARP (IPv4) and neighbour discovery (IPv6).
accept ethertype arp;
accept icmp 135 -1 or icmp 136 -1;
"""
_MEMBERS = """\
[[member]]
name = "anna"
ips = ["10.0.0.1", "fd00::1"]
{anna}
[[member]]
name = "ben"
ips = ["10.0.0.2", "fd00::2"]
{ben}
[[member]]
name = "server"
ips = ["10.0.0.7", "fd00::7"]
{server}
"""
_BASICS = """
[[case]]
name = "members find each other"
from = "anna"
to = ["ben", "server"]
proto = "arp"
expect = "allow"
reply = "allow"

[[case]]
name = "and by IPv6"
frame = "icmp6 fd00::1 > fd00::2 neighbour-solicitation"
expect = "allow"

[[case]]
name = "and answer"
frame = "icmp6 fd00::2 > fd00::1 neighbour-advertisement"
expect = "allow"
"""
_NO_OTHERS = """
[[case]]
name = "no other kinds of frames"
from = "anna"
to = "ben"
ethertype = 0x88cc
expect = "deny"
"""


def _cases(members: dict[str, str], *cases: str) -> str:
    tags = {"anna": "", "ben": "", "server": ""} | members
    return _MEMBERS.format(**tags) + "".join(cases)


TEMPLATES: dict[str, Template] = {
    "open": Template(
        "everybody reaches everybody, by IP alone",
        f"{_FAMILIES}\naccept;\n",
        _cases(
            {},
            _BASICS,
            """
[[case]]
name = "everything is open"
from = "anna"
to = ["ben", "server"]
port = ["ssh", "https", "smb"]
expect = "allow"
reply = "allow"
""",
            _NO_OTHERS,
        ),
    ),
    "servers": Template(
        "members reach servers, and not each other",
        f"""\
# Who is a server: give these members the tag's value `yes`.
tag server
  id 1
  enum 0 no
  enum 1 yes
  default no
;

{_FAMILIES}
{_RESOLUTION}
# One of the two has to be a server.
drop not tor server 1;

accept;
""",
        _cases(
            {"server": "tags = { server = 'yes' }"},
            _BASICS,
            """
[[case]]
name = "members use the server"
from = ["anna", "ben"]
to = "server"
port = ["ssh", "https", "dns"]
expect = "allow"
reply = "allow"

[[case]]
name = "members do not see each other"
from = "anna"
to = "ben"
port = ["ssh", "smb", "dns"]
expect = "deny"
""",
            _NO_OTHERS,
        ),
    ),
    "departments": Template(
        "departments keep to themselves; administrators reach all machines",
        f"""\
# Give each member the number of its department; without one it is in none, with all such members.
tag department
  id 100
  enum 0 none
  enum 1 sales
  enum 2 engineering
  default none
;

# Who holds this administers the machines of every department: by ssh and remote desktop.
cap administrator
  id 1
  accept ipprotocol tcp and dport 22;
  accept ipprotocol tcp and dport 3389;
;

{_FAMILIES}
{_RESOLUTION}
# Everything within a department.
accept tdiff department 0;

# A connection to another department is for the capability to open; what answers goes back.
break chr tcp_syn and not chr tcp_ack;
accept ipprotocol tcp;

drop;
""",
        _cases(
            {
                "anna": "tags = { department = 'sales' }",
                "ben": "tags = { department = 'sales' }\ncapabilities = ['administrator']",
                "server": "tags = { department = 'engineering' }",
            },
            _BASICS,
            """
[[case]]
name = "colleagues"
from = "anna"
to = "ben"
port = ["ssh", "smb", "dns"]
expect = "allow"
reply = "allow"

[[case]]
name = "other departments are closed"
from = "anna"
to = "server"
port = ["ssh", "smb", "dns"]
expect = "deny"

[[case]]
name = "administrators open them"
from = "ben"
to = "server"
port = ["ssh", "rdp"]
expect = "allow"
reply = "allow"

[[case]]
name = "for these ports alone"
from = "ben"
to = "server"
port = "smb"
expect = "deny"
""",
            _NO_OTHERS,
        ),
    ),
    "strict": Template(
        "nothing but what is listed: ARP, NDP, ping, ssh, web, DNS and their answers",
        f"""\
# Nobody sends from an address that is not theirs.
drop not chr ipauth;

{_RESOLUTION}
# Ping, both ways.
accept icmp 8 -1 or icmp 0 -1 or icmp 128 -1 or icmp 129 -1;

# Rules keep no state: what belongs to an open TCP connection is told by its ACK.
accept ipprotocol tcp and chr tcp_ack;

# What may be opened. Add your own.
accept ipprotocol tcp and dport 22;
accept ipprotocol tcp and dport 80;
accept ipprotocol tcp and dport 443;

# UDP has no ACK: the question and its answer each need a rule.
accept ipprotocol udp and dport 53;
accept ipprotocol udp and sport 53;

drop;
""",
        _cases(
            {},
            _BASICS,
            """
[[case]]
name = "what is listed, and its answers"
from = "anna"
to = "server"
port = ["ssh", "http", "https", "dns"]
expect = "allow"
reply = "allow"

[[case]]
name = "ping"
from = "anna"
to = "ben"
proto = "ping"
expect = "allow"
reply = "allow"

[[case]]
name = "nothing else"
from = "anna"
to = "server"
port = ["telnet", "smb", "rdp", "syslog"]
expect = "deny"

[[case]]
name = "no forged addresses"
from = "anna"
source = "10.0.0.99"
to = "server"
port = "ssh"
expect = "deny"
""",
            _NO_OTHERS,
        ),
    ),
    "ids": Template(
        "everybody reaches everybody, and a sensor gets a copy",
        f"""\
{_FAMILIES}
# The sensor's ZeroTier address: put yours here. 128 bytes of each frame are its headers;
# -1 copies all of it.
tee 128 8e30f50a25;

accept;
""",
        """\
[[member]]
name = "sensor"
address = "8e30f50a25"
ips = ["10.0.0.9"]

"""
        + _cases(
            {},
            _BASICS,
            """
[[case]]
name = "everything is open, and the sensor sees it"
from = "anna"
to = "server"
port = ["ssh", "https", "smb"]
expect = "allow"
reply = "allow"
tee = "sensor"
""",
            _NO_OTHERS,
        ),
    ),
    "whitelist": Template(
        "listed TCP ports alone may be opened; everything else of IP goes",
        f"""\
# Who holds this may open the ports of other services too, from 1024 up.
cap high_ports
  id 1
  accept ipprotocol tcp and dport 1024-65535;
;

{_FAMILIES}
# The TCP ports that everybody may open.
accept ipprotocol tcp and dport 22;
accept ipprotocol tcp and dport 80;
accept ipprotocol tcp and dport 443;

# Any other connection is for the capability to open; what belongs to an open one goes on.
break chr tcp_syn and not chr tcp_ack;

accept;
""",
        _cases(
            {"ben": "capabilities = ['high_ports']"},
            _BASICS,
            """
[[case]]
name = "listed ports"
from = "anna"
to = "server"
port = ["ssh", "http", "https"]
expect = "allow"
reply = "allow"

[[case]]
name = "no others"
from = "anna"
to = "server"
port = ["smb", "rdp", "mysql"]
expect = "deny"

[[case]]
name = "but by who holds the capability"
from = "ben"
to = "server"
port = ["rdp", "mysql"]
expect = "allow"
reply = "allow"

[[case]]
name = "for these ports alone"
from = "ben"
to = "server"
port = "smb"
expect = "deny"

[[case]]
name = "UDP and ping go"
from = "anna"
to = "server"
port = ["dns", "ntp"]
expect = "allow"
reply = "allow"
""",
            _NO_OTHERS,
        ),
    ),
}
