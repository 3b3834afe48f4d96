"""Rules out of a repository's history: read as they were, errors with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

import ztfast
from tests.lang.revised import repository
from ztfast.errors import RulesError, UsageError
from ztfast.lang.revisions import load_revision

OLD = "accept dport 80;\nDrop\n"


@pytest.fixture(autouse=True)
def _in_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(tmp_path, OLD)
    monkeypatch.chdir(tmp_path / "sub")


def test_a_revision_is_what_was_committed() -> None:
    Path("rules.ztrules").write_text("accept;\n")
    assert load_revision("git:HEAD:rules.ztrules").digest == ztfast.compile(OLD).digest


@pytest.mark.parametrize(
    "name", ["git:HEAD:none", "git:nowhere:rules.ztrules", "git:--help:rules.ztrules"]
)
def test_what_is_not_there_is_said_by_git(name: str) -> None:
    with pytest.raises((RulesError, UsageError), match="git"):
        load_revision(name)


@pytest.mark.parametrize("name", ["git:HEAD", "rules.ztrules"])
def test_what_names_no_file_of_a_revision_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match="REVISION"):
        load_revision(name)
