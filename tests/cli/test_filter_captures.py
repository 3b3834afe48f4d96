"""Every capture of others through the whole command: the frames are counted, the copy is the same.

The captures are those of tcpdump's tests and of pcapng-test-generator (tests/data/captures).
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.capture.building import DATA
from tests.cli.running import ztfast
from ztfast.capture import open_capture

ROWS = [
    (row[0], int(row[3]), int(row[4]))
    for row in csv.reader((DATA / "expected.tsv").read_text().splitlines(), delimiter="\t")
    if len(row) == 5 and row[3].isdigit()
]
# capinfos takes the 4 bytes of Sun's ATM pseudo-header off each frame; we count what is there.
ATM_LINKTYPE = 123


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules"
    path.write_text("accept ethertype ipv4 and dport 1-1023;\naccept ethertype ipv6;\ndrop;\n")
    return path


def linktypes(path: Path) -> set[int]:
    with open_capture(path) as capture:
        return {batch.linktype for batch in capture if len(batch)}


@pytest.mark.slow
def test_counts(rules: Path, capfd: Any, backend: str) -> None:
    """Frames and bytes as capinfos counts them, those of unknown link types among them."""
    assert len(ROWS) > 800
    for name, frames, size in ROWS:
        status = ztfast("filter", rules, DATA / name, "--json", "--backend", backend)
        out, err = capfd.readouterr()
        found = json.loads(out)
        if status == 0:
            octets = found["bytes"]
            if ATM_LINKTYPE in linktypes(DATA / name):
                octets -= 4 * frames
            assert (found["frames"], octets) == (frames, size), name
        else:
            assert status == 1, name
            assert found["frames"] <= frames or found["unjudged"], name
            assert "error[" in err, name
            if found["complete"]:  # whole, but of a link type that is not known
                assert found["unjudged"], name
                assert found["frames"] == frames, name


@pytest.mark.slow
def test_copies_are_the_same_files(tmp_path: Path, capfd: Any) -> None:
    rules, same = tmp_path / "rules", 0
    rules.write_text("accept;\n")
    for name, _, _ in ROWS:
        form = "pcapng" if name.endswith("pcapng") else "pcap"
        out = tmp_path / f"out.{form}"
        words = ("filter", rules, DATA / name, "-w", out, "--json")
        if ztfast(*words) != 0:
            capfd.readouterr()
            continue  # damaged, or of a link type that is not known
        found = json.loads(capfd.readouterr().out)
        if found["verdicts"]["accept"]["frames"] == found["frames"]:
            assert out.read_bytes() == (DATA / name).read_bytes(), name
            same += 1
    assert same > 300
