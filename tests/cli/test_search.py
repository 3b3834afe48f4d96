"""`ztfast search`: a witness or a proof that there is none, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.running import run
from tests.needs import needs

TEXT = """tag role id 5 enum 1 guest enum 2 staff flag 3 odd;
cap boss id 9 accept ethertype arp; ;
drop tseq role guest and ipdest 10.1.1.7/32 and not dport 80;
tee 64 1122334455 ipprotocol udp;
redirect 2233445566 ipprotocol sctp;
break ethertype arp;
accept;
"""
SSH = "ipprotocol tcp and dport 22 and ipdest 10.1.1.7/32"


OFFICE = str(Path(__file__).parents[2] / "examples" / "office.toml")


@needs("z3")
def test_members_by_name_and_the_networks_own_rules() -> None:
    words = ("search", "--network", OFFICE, "--verdict", "accept", "--to", "anna", "--where")
    ssh = "ipprotocol tcp and dport 22 and chr tcp_syn and not chr tcp_ack"
    found = run(*words, ssh, "--from", "carla")
    assert found.returncode == 0
    assert "; member carla to anna; sender holds admin" in found.stdout
    assert run(*words, ssh, "--from", "ben").returncode == 1
    for more, said in (
        (("--from", "karla"), "did you mean carla?"),
        (("--to-tag", "department=staff"), "leave out --to-tag"),
        (("--from", "Anna"), "--from and --to are both anna"),
    ):
        done = run(*words, ssh, *more)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
    tee = run("search", "--network", OFFICE, "--verdict", "tee:sensor", "--from", "anna")
    assert tee.returncode == 0
    assert "tee of 60 bytes to sensor at the sender" in tee.stdout
    assert "8e30f50a25" not in tee.stdout.partition("\n")[0]
    alone = run("search", "rules", "--verdict", "accept", "--from", "anna")
    assert alone.returncode == 2
    assert "--from needs --network" in alone.stderr


@needs("z3")
def test_command(tmp_path: Path) -> None:
    path = tmp_path / "r.ztrules"
    path.write_text(TEXT)
    found = run("search", str(path), "--verdict", "accept", "--where", SSH)
    assert found.returncode == 0
    assert found.stdout.startswith("tcp 10.0.0.1:40000 > 10.1.1.7:22 syn")
    none = run(
        "search", str(path), "--verdict", "accept", "--where", SSH, "--from-tag", "role=guest"
    )
    assert none.returncode == 1
    assert none.stdout.startswith("no frame gets `accept`: proved")
    assert run("search", str(path), "--verdict", "no").returncode == 2
    assert run("search", str(path), "--verdict", "accept", "--where", "x").returncode == 2
    document = json.loads(run("search", str(path), "--verdict", "tee", "--json").stdout)
    assert document["found"]
    assert document["witness"]["hex"].startswith("hex:")
    explained = run("explain", str(path), "--frame", document["witness"]["hex"])
    assert explained.returncode in (0, 1), explained.stderr
