"""10,000 members through `ztfast filter --network`, multicast to all of them included."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.capture import building
from tests.cli.running import ztfast
from ztfast.model.addresses import mac_of

NETWORK = 0x8056C2E21C000001
MEMBERS = 10_000
RULES = "tag team id 1 default 0;\ndrop not tdiff team 2;\naccept;\n"


def network(folder: Path, teams: int) -> Path:
    members = [
        {
            "id": f"{0x1000000000 + n:010x}",
            "authorized": True,
            "ipAssignments": [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"],
            "tags": [[1, n % teams]],
        }
        for n in range(MEMBERS)
    ]
    path = folder / "network.json"
    path.write_text(json.dumps({"network": {"nwid": f"{NETWORK:016x}"}, "members": members}))
    return path


def frames(count: int) -> list[bytes]:
    """Half to one member, half to a group."""
    rng = random.Random(6)
    found = []
    for number in range(count):
        macs = [
            mac_of(0x1000000000 + rng.randrange(MEMBERS), NETWORK).to_bytes(6, "big")
            for _ in range(2)
        ]
        to = macs[0] if number % 2 else bytes.fromhex("01005e000001")
        found.append(to + macs[1] + b"\x08\x00" + bytes(50))
    return found


@pytest.mark.parametrize("teams", [5, 200])
def test_ten_thousand_members(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], teams: int
) -> None:
    """Members who judge alike are asked once, so that the work grows with teams."""
    rules, capture = tmp_path / "rules", tmp_path / "c.pcap"
    rules.write_text(RULES)
    capture.write_bytes(building.pcap(frames(400)))
    words = [rules, capture, "--network", network(tmp_path, teams), "--json"]
    assert ztfast("filter", *words) == 0
    made = json.loads(capfd.readouterr().out)
    assert made["frames"] == 400
