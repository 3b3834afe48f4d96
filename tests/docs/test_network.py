"""The examples of docs/network.md and docs/exactness.md are true."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ztfast.engine.case import evaluate_case
from ztfast.network.load import load_network

DOCS = Path(__file__).parent.parent.parent / "docs"
RULES = "tag department id 1 enum 7 sales;\ncap web id 5 accept dport 80;\n;\naccept;\n"


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_toml_of_the_page(tmp_path: Path) -> None:
    (document,) = blocks("network.md", "toml")
    (tmp_path / "office.ztrules").write_text(RULES)
    path = tmp_path / "office.toml"
    path.write_text(document)
    network = load_network(path)
    anna, other = network.members
    assert anna.tags == {1: 7, 17: 4}
    assert anna.capabilities == {5, 9}
    assert [member.address for member in network.active_members()] == [anna.address]
    assert other.mac == 0x020000000001


def test_the_case_of_the_page() -> None:
    (shown,) = blocks("exactness.md", "console")
    command, answer = shown.splitlines()
    case = json.loads(command[command.index("'") + 1 : command.rindex("'")])
    assert evaluate_case(case, "reference") == json.loads(answer)
