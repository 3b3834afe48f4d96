from __future__ import annotations

import pytest

from tests.needs import needs
from tests.serve.places import settings
from ztfast.errors import BackendError, Diagnostic
from ztfast.lang import compile_text
from ztfast.serve.ask_diff import changes

OLD, NEW = "drop dport 22;\naccept;\n", "accept;\n"


@needs("z3")
def test_what_an_edit_does_is_proved() -> None:
    found = changes(settings(OLD), NEW)
    assert found["same"] is False
    assert found["missing"] == ""
    assert len(found["lines"]) == 1
    assert "22" in found["lines"][0]["rule"]
    assert any("ssh opens" in line for line in found["members"])


@needs("z3")
def test_the_deployed_rules_are_compared_with_where_they_are_given() -> None:
    asked = settings(OLD, deployed=compile_text(NEW), deployed_name="old.ztrules")
    found = changes(asked, NEW)
    assert found["against"] == "old.ztrules"
    assert found["same"] is True
    assert found["members"][0].startswith("nothing changes")


def test_without_the_solver_members_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise BackendError(Diagnostic("ZT420", "z3 is not installed"))

    monkeypatch.setattr("ztfast.proof.edit_effects.compare_edits", none)
    found = changes(settings(OLD), NEW)
    assert found["missing"] == "z3 is not installed"
    assert found["members"]
    assert changes(settings(OLD, network=None), NEW)["members"] == []
