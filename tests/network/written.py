"""Networks as they are written: a controller's and Central's JSON, our own TOML."""

from __future__ import annotations

from pathlib import Path

from tests.network.building import NETWORK_ID

ID = f"{NETWORK_ID:016x}"
ACCEPT = [{"type": "ACTION_ACCEPT"}]
CONTROLLER_NETWORK = {
    "id": ID,
    "nwid": ID,
    "objtype": "network",
    "name": "office",
    "private": True,
    "rules": ACCEPT,
    "capabilities": [{"id": 7, "default": True, "rules": ACCEPT}],
    "tags": [{"id": 1, "default": 5}],
    "v6AssignMode": {"6plane": False, "rfc4193": True, "zt": False},
}
CONTROLLER_MEMBER = {
    "id": "1122334455",
    "address": "1122334455",
    "nwid": ID,
    "objtype": "member",
    "authorized": True,
    "ipAssignments": ["10.0.0.1", "fd00::1"],
    "tags": [[1, 10], [2, 20]],
    "capabilities": [7],
    "identity": "1122334455:0:aa",
}
CENTRAL_NETWORK = {
    "id": ID,
    "type": "Network",
    "rulesSource": "accept;\n",
    "description": "",
    "config": {"id": ID, "name": "office", "private": True, "rules": ACCEPT, "tags": []},
}
CENTRAL_MEMBER = {
    "id": f"{ID}-1122334455",
    "type": "Member",
    "networkId": ID,
    "nodeId": "1122334455",
    "name": "anna",
    "config": {
        "authorized": True,
        "ipAssignments": ["10.0.0.1"],
        "tags": [[1, 10]],
        "capabilities": [7],
        "address": "1122334455",
        "id": "1122334455",
    },
}
RULES = """
tag department id 1000 default 5 enum 100 sales enum 200 lab flag 0 boss;
cap web id 7 accept ipprotocol tcp and dport 80;;
accept;
"""
DOCUMENT = """
id = "8056c2e21c000001"
name = "office"
rules = "office.ztrules"
rfc4193 = true

[[member]]
address = "1122334455"
name = "anna"
ips = ["10.0.0.1", "10.0.0.2/24"]
tags = { department = "lab", 17 = 4 }
capabilities = ["web", 9]

[[member]]
address = "8e30f50a25"
authorized = false
mac = "02:00:00:00:00:01"
tags = { 1000 = "boss" }
"""


def write(tmp_path: Path, text: str, rules: str = RULES) -> Path:
    (tmp_path / "office.ztrules").write_text(rules)
    path = tmp_path / "office.toml"
    path.write_text(text)
    return path
