"""What people call a port: `ssh`, `https`, `smb`.

Contract: one small table of the services that flow rules are about; `service_port` gives the port
of a name, None for one that is not there.  Numbers as IANA has them.
Tested by tests/frames/test_notation.py.
"""

from __future__ import annotations

# name -> (protocol's word in the notation of frames, port)
SERVICES: dict[str, tuple[str, int]] = {
    "ftp": ("tcp", 21),
    "ssh": ("tcp", 22),
    "telnet": ("tcp", 23),
    "smtp": ("tcp", 25),
    "dns": ("udp", 53),
    "dhcp": ("udp", 67),
    "tftp": ("udp", 69),
    "http": ("tcp", 80),
    "kerberos": ("tcp", 88),
    "pop3": ("tcp", 110),
    "ntp": ("udp", 123),
    "imap": ("tcp", 143),
    "snmp": ("udp", 161),
    "ldap": ("tcp", 389),
    "https": ("tcp", 443),
    "smb": ("tcp", 445),
    "syslog": ("udp", 514),
    "submission": ("tcp", 587),
    "ipp": ("tcp", 631),
    "ldaps": ("tcp", 636),
    "imaps": ("tcp", 993),
    "mssql": ("tcp", 1433),
    "mqtt": ("tcp", 1883),
    "nfs": ("tcp", 2049),
    "mysql": ("tcp", 3306),
    "rdp": ("tcp", 3389),
    "sip": ("udp", 5060),
    "mdns": ("udp", 5353),
    "postgres": ("tcp", 5432),
    "vnc": ("tcp", 5900),
    "redis": ("tcp", 6379),
}


def service_port(name: str) -> int | None:
    """The port of a service by name, in any case."""
    found = SERVICES.get(name.lower())
    return None if found is None else found[1]
