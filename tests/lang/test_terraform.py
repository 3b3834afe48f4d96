"""`flow_rules` of Terraform's files: found, placed at the file's own lines, or refused there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ztfast.errors import RulesError, Source
from ztfast.lang import load
from ztfast.lang.compiler import compile_source
from ztfast.lang.lint import check
from ztfast.lang.terraform import MAX_TEXTS, flow_rules, is_terraform, state_rules

TF = """# flow_rules = <<EOF
resource "zerotier_network" "a" {
  name = "x # flow_rules = <<EOF"
  flow_rules = <<-EOF
    accept ethertype arp;
    accept vlan -1 ;
  EOF
}
/* flow_rules = "x" */
resource "zerotier_network" "b" {
  flow_rules = "# hi\\naccept dport 80,443;\\naccept;" # the end
}
"""


def test_each_text_has_the_files_own_lines_and_columns() -> None:
    assert is_terraform("a/Main.TF")
    texts, refused = flow_rules(Source("main.tf", TF))
    assert (len(texts), refused) == (2, [])
    first = check(texts[0])[1]
    assert [str(finding).split(" ")[0] for finding in first] == ["main.tf:6:16:"]
    policy, second = check(texts[1])
    assert policy is not None
    assert len(policy.rules) == 3
    span = second[0].span
    assert span is not None
    assert (span.line, TF[span.start : span.end]) == (11, "dport 80,443")


@pytest.mark.parametrize(
    ("value", "message", "help"),
    [
        ('file("${path.module}/x.ztrules")', "is an expression", "what it reads: x.ztrules"),
        ("var.rules", "is an expression", "terraform show -json"),
        ('"accept;" + x', "is an expression", "terraform show -json"),
        ("<<E\naccept ipdest ${var.ip}/32;\nE", "only Terraform knows", "terraform show -json"),
    ],
)
def test_what_is_no_text_is_refused_at_its_place(value: str, message: str, help: str) -> None:
    source = Source("main.tf", f"\n  flow_rules = {value}\n")
    texts, (found,) = flow_rules(source)
    assert texts == []
    assert message in found.message
    assert help in (found.help or "")
    assert found.span is not None
    assert found.span.line == (3 if "<<" in value else 2)


@pytest.mark.parametrize(
    "text",
    ["", "flow_rules = <<E\naccept;\n", 'x = "flow_rules"', "flow_rules = x\n" * (MAX_TEXTS + 1)],
)
def test_files_without_rules(text: str) -> None:
    with pytest.raises(RulesError, match=r"main\.tf"):
        flow_rules(Source("main.tf", text))


def test_load_takes_one_text_and_lists_several(tmp_path: Path) -> None:
    path = tmp_path / "main.tf"
    path.write_text("flow_rules = <<E\naccept;\nE\n")
    assert len(load(path).rules) == 1
    path.write_text(TF)
    with pytest.raises(RulesError, match="2 rules texts, from the lines 5, 11"):
        load(path)


def test_a_state_in_modules() -> None:
    network = {"type": "zerotier_network", "values": {"flow_rules": "accept;"}}
    inner = {"child_modules": [{"resources": [network, 3, {**network, "mode": "data"}]}]}
    state: dict[str, object] = {"values": {"root_module": {"child_modules": [inner, None]}}}
    assert len(compile_source(state_rules(state, "s")).rules) == 1  # type: ignore[arg-type]
    with pytest.raises(RulesError, match="no network with"):
        state_rules({"values": {"root_module": {}}}, "s")
