"""`ztfast check --fix`: what is made compiles, and its diff is what the fix says."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import ztfast as library
from tests import pages, seeds
from tests.cli.running import ztfast
from tests.needs import needs
from ztfast.errors import Source

PASTED = """\
tag Team
  id 1
  enum 1 Staff
;
allow ipsrc 10.0.0.1/8 and dport 80–90 and tseq team 1;
accept ethertype arp;
accept;
drop ipprotocol udp;
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "rules.ztrules"
    path.write_bytes(text.encode())
    return path


def test_safe_fixes_until_none_is_left(tmp_path: Path, capfd: Any) -> None:
    path = write(tmp_path, PASTED)
    assert ztfast("check", path, "--fix", "--no-analysis") == 0
    text = path.read_bytes().decode()
    assert text.startswith("tag team\n  id 1\n  enum 1 staff\n;\naccept ipsrc 10.0.0.0/8 and ")
    assert "Accept\n" in text
    assert "80–90" in text  # what it means now would change
    said = capfd.readouterr().err
    assert "5 fixes made" in said
    assert "1 fixable with --fix --unsafe-fixes" in said


def test_unsafe_ones_on_request(tmp_path: Path) -> None:
    path = write(tmp_path, PASTED)
    assert ztfast("check", path, "--fix", "--unsafe-fixes", "--no-analysis") == 0
    assert "dport 80-90" in path.read_text()
    assert not any(finding.fixes for finding in checked(path))


def checked(path: Path) -> list[library.Diagnostic]:
    from ztfast.errors import Source
    from ztfast.lang.lint import check

    return check(Source(str(path), path.read_text()))[1]


def test_a_diff_writes_nothing(tmp_path: Path, capfd: Any) -> None:
    path = write(tmp_path, PASTED)
    assert ztfast("check", path, "--diff", "--no-analysis") == 1
    assert path.read_bytes().decode() == PASTED
    shown = capfd.readouterr().out
    assert f"--- {path}\n+++ {path}\n" in shown
    assert "-tag Team\n+tag team\n" in shown
    clean = write(tmp_path, "accept;\n")
    assert ztfast("check", clean, "--diff", "--no-analysis") == 0
    assert capfd.readouterr().out == ""


def test_line_ends_and_files_of_other_kinds_stay(tmp_path: Path, capfd: Any) -> None:
    path = write(tmp_path, "tag t id 1\r\naccept ipsrc 10.0.0.1/8;\r\n")
    assert ztfast("check", path, "--fix", "--unsafe-fixes", "--no-analysis") == 0
    assert path.read_bytes() == b"tag t id 1\r\n;\r\naccept ipsrc 10.0.0.0/8;\r\n"
    other = tmp_path / "rules.json"
    other.write_text(json.dumps([{"type": "ACTION_ACCEPT"}]))
    assert ztfast("check", other, "--fix", "--no-analysis") == 0
    missing = tmp_path / "none"
    assert ztfast("check", missing, "--fix") == 1
    assert "ZT051" in capfd.readouterr().out


@pytest.mark.parametrize("words", [("--fix", "--diff"), ("--unsafe-fixes",), ("--fix", "-")])
def test_what_makes_no_sense(words: tuple[str, ...], tmp_path: Path) -> None:
    path = write(tmp_path, PASTED)
    assert ztfast("check", path, *words) == 2
    assert path.read_bytes().decode() == PASTED


def test_a_fix_that_would_break_the_text_is_not_made(tmp_path: Path) -> None:
    """`Accept` opens no block: what the open one held would be no action."""
    path = write(tmp_path, "accept;\nnot dport 80;\n")
    assert ztfast("check", path, "--fix", "--unsafe-fixes", "--no-analysis") == 0
    assert path.read_text() == "accept;\nnot dport 80;\n"


# --- fixes of what is proved

ARP = "accept ipprotocol tcp and dport 80 and chr tcp_ack;\nDrop\n"
PROVED = {
    "ZT210": (ARP, ["added: ARP is now accepted"]),
    "ZT211": (
        "tag hub id 4 default 0 enum 1 yes;\nbreak not tor hub 1;\naccept;\n",
        ["added: ARP is now accepted", "added: neighbour solicitations are now accepted"],
    ),
    "ZT203": (
        "accept ethertype arp;\naccept dport 80 and dport 443;\naccept chr tcp_ack;\n",
        ["changed: frames of `dport 80 or dport 443` are now accepted"],
    ),
    "ZT208": (
        "accept ethertype arp;\naccept ipprotocol tcp and dport 22;\nDrop\n",
        ["added: TCP with `chr tcp_ack` is now accepted"],
    ),
}


@needs("z3")
@pytest.mark.parametrize("code", PROVED)
def test_an_unsafe_fix_does_what_it_says(code: str) -> None:
    from ztfast.diagnostics.fixes import apply, chosen
    from ztfast.proof import findings
    from ztfast.proof.edit_effects import compare_edits
    from ztfast.proof.edit_lines import EditWriter

    text, expected = PROVED[code]
    policy = library.compile(text)
    mine = [one for one in findings(policy) if one.code == code]
    assert mine
    assert chosen(mine) == []  # it is not safe
    after = library.compile(apply(text, chosen(mine, unsafe=True)))
    assert code not in {one.code for one in findings(after)}
    lines = EditWriter(policy, after).lines(compare_edits(policy, after, usual=False))
    for line, words in zip(lines, expected, strict=True):
        assert words.split(": ")[0] in line.head
        assert line.body.startswith(words.split(": ")[1]), line


IDLE = {
    "the last": "drop not ethertype ipv4;\naccept dport 1 and ethertype ipv4;\nAccept\n",
    "the first": "drop not ethertype ipv4;\naccept ethertype ipv4 and not dport 1;\nAccept\n",
    "with not": "drop ethertype arp;\naccept dport 1 and not ethertype arp;\nAccept\n",
    "never reached": "accept ethertype ipv4;\naccept not ethertype ipv4;\ndrop dport 80;\nDrop\n",
}


@needs("z3")
@pytest.mark.parametrize("name", IDLE)
def test_a_safe_fix_changes_no_verdict(name: str) -> None:
    from ztfast.diagnostics.fixes import apply, chosen
    from ztfast.proof import findings
    from ztfast.proof.edit_effects import compare_edits

    text = IDLE[name]
    policy = library.compile(text)
    fixes = chosen(findings(policy))
    assert fixes
    for fix in fixes:
        after = library.compile(apply(text, [fix]))
        assert after.digest != policy.digest
        assert compare_edits(policy, after, time_limit=None, usual=False).same, fix


MATCHES = (
    "ethertype ipv4", "ethertype arp", "ipprotocol tcp", "ipprotocol udp", "dport 1-80", "dport 80",
    "ipsrc 10.1.0.9/16", "ipsrc 10.0.0.0/8", "chr inbound", "tseq t 1", "treq t 1", "tdiff t 0",
    "random 0.5", "framesize 0-2000", "chr ipauth",
)  # fmt: skip


def drawn_rules(rng: random.Random) -> str:
    """Rules in which much is idle or dead."""
    lines = ["tag t id 1;"]
    for _ in range(rng.randrange(2, 7)):
        matches = [
            f"{rng.choice(['not ', '', ''])}{match}"
            for match in rng.choices(MATCHES, k=rng.randint(1, 3))
        ]
        joined = rng.choice([" and ", "\n  and ", " "]).join(matches)
        lines.append(f"{rng.choice(['accept', 'drop', 'break'])} {joined};")
    return "\n".join([*lines, rng.choice(["Accept", "Drop"]), "accept;\n"])


@pytest.mark.slow
@needs("z3")
def test_no_safe_fix_of_random_rules_changes_a_verdict() -> None:
    from ztfast.diagnostics.fixes import apply, chosen
    from ztfast.lang.lint import check
    from ztfast.proof import findings
    from ztfast.proof.edit_effects import compare_edits

    seed, made = seeds.seed(71), 0
    for round_ in range(seeds.rounds(12)):
        text = drawn_rules(random.Random(seed * 7001 + round_))
        policy, found = check(Source("t", text))
        assert policy is not None
        for fix in chosen([*found, *findings(policy, time_limit=10)]):
            after = library.compile(apply(text, [fix]))
            report = compare_edits(policy, after, time_limit=10, usual=False)
            assert report.same or report.incomplete, (seed, round_, fix)
            made += 1
    assert made > 10


@needs("z3")
def test_the_office_needs_no_fix(tmp_path: Path, capfd: Any) -> None:
    path = write(tmp_path, (pages.EXAMPLES / "office.ztrules").read_text())
    assert ztfast("check", path, "--diff", "--unsafe-fixes") == 0
    assert capfd.readouterr().out == ""


def test_other_programs_are_given_fixes(tmp_path: Path, capfd: Any) -> None:
    path = write(tmp_path, "# ü\naccept ipsrc 10.0.0.1/8;\n")
    assert ztfast("check", path, "--json", "--no-analysis") == 0
    (finding,) = json.loads(capfd.readouterr().out)["findings"]
    assert finding["fixes"] == [
        {
            "title": "write `10.0.0.0/8`",
            "safe": True,
            "edits": [
                {
                    "start": 17,
                    "end": 27,
                    "line": 2,
                    "column": 13,
                    "end_line": 2,
                    "end_column": 23,
                    "text": "10.0.0.0/8",
                }
            ],
        }
    ]
    assert ztfast("check", path, "--format", "sarif", "--no-analysis") == 0
    (run,) = json.loads(capfd.readouterr().out)["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["helpUri"].endswith("/docs/codes.md#zt111-an-ipv4-prefix-with-host-bits")
    (fix,) = run["results"][0]["fixes"]
    (change,) = fix["artifactChanges"]
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 2, "startColumn": 14, "endLine": 2, "endColumn": 24},
            "insertedContent": {"text": "10.0.0.0/8"},
        }
    ]
