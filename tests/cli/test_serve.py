"""The command's options and refusals; what it serves is tested in tests/serve."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.running import run, ztfast
from tests.deploy.controller import NETWORK as DEPLOYED
from tests.deploy.controller import OLD, TOKEN, running
from tests.needs import needs
from tests.serve.running import NEEDED, NETWORK, RULES
from ztfast.cli import serve
from ztfast.deploy.meaning import meaning_digest
from ztfast.errors import UsageError
from ztfast.lang import compile_text
from ztfast.serve.ask_diff import changes
from ztfast.serve.settings import Settings

office = needs(*NEEDED)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0"], "name the one address"),
        (["--host", "::"], "name the one address"),
        (["--host", "192.0.2.1"], "--allow-remote"),
        (["--port", "65536"], "65536"),
        (["--max-upload", "much"], "not a size"),
        (["--tests", "missing.toml"], "missing.toml: no such file"),
    ],
)
@office
def test_what_makes_no_sense_is_refused(words: list[str], said: str) -> None:
    done = CliRunner().invoke(serve.command, [str(RULES), *words])
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.parametrize("rules", [None, "-", "git:HEAD:rules.ztrules"])
def test_only_a_file_can_be_saved(rules: str | None) -> None:
    done = CliRunner().invoke(serve.command, ["--write", *([] if rules is None else [rules])])
    assert done.exit_code == 2
    assert "name one" in done.output


@office
@pytest.mark.parametrize("words", [[], ["--write"], ["--network", "none.toml"]])
def test_the_projects_rules_are_a_file_to_mend_and_save(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    """They are taken as if they were named, also those that do not compile."""
    (tmp_path / "ztfast.toml").write_text('rules = "broken.ztrules"\n')
    (tmp_path / "broken.ztrules").write_text("accept nonsense\n")
    (tmp_path / "none.toml").write_text('[[member]]\naddress = "8e30f50a25"\n')
    monkeypatch.chdir(tmp_path)
    assert ztfast("serve", *words, "--tests", "missing.toml") == 2
    said = capfd.readouterr().err
    assert "--tests missing.toml: no such file" in said  # which is looked at last
    assert said.count("settings from ztfast.toml") == 1


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_NEEDED", ("json", "no_such_library"))
    with pytest.raises(UsageError, match="no_such_library") as caught:
        CliRunner().invoke(serve.command, [str(RULES)], catch_exceptions=False)
    assert caught.value.diagnostics[0].help == "pip install 'ztfast[serve]'"


@office
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.ztrules"], "missing.ztrules"),
        (["main.tf"], "Terraform"),
        ([], "no rules are named"),
        ([str(RULES), "--network", "missing.toml"], "missing.toml"),
        ([str(RULES), "--against", "missing.ztrules"], "missing.ztrules"),
    ],
)
def test_what_cannot_be_read_is_said_before_anything_is_served(words: list[str], said: str) -> None:
    done = run("serve", *words)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "http" not in done.stdout


def settings(*words: str | Path) -> Settings:
    """What the command would serve."""
    context = serve.command.make_context("serve", list(map(str, words)))
    return serve.read_settings(context.params.pop("rules"), context.params)


def test_what_is_served(tmp_path: Path) -> None:
    rules, cases = tmp_path / "broken.ztrules", tmp_path / "cases.toml"
    rules.write_text("accept nonsense\n", encoding="utf-8")  # that is what an editor is for
    cases.write_text("", encoding="utf-8")
    words = ["--against", RULES, "--network", NETWORK, "--tests", cases, "--max-upload", "2k"]
    found = settings(rules, *words, "--write")
    assert found.rules.text == found.current() == "accept nonsense\n"
    assert (found.path, found.writable, found.most_upload) == (str(rules), True, 2000)
    assert (found.deployed_name, found.tests) == (str(RULES), (str(cases),))
    assert found.deployed is not None
    assert len(found.members.members) == 8


def test_what_is_too_long_for_a_page_is_refused(tmp_path: Path) -> None:
    rules = tmp_path / "long.ztrules"
    rules.write_text("#" * 500_001, encoding="utf-8")
    with pytest.raises(UsageError, match="more than 500,000 characters"):
        settings(rules)


def test_the_network_may_bring_the_rules() -> None:
    found = settings("--network", NETWORK)
    assert found.rules.text == RULES.read_text(encoding="utf-8")
    assert (found.path, found.writable) == ("", False)


@needs("z3")
def test_what_a_controller_has_is_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules.ztrules"
    rules.write_text(OLD.replace("accept ethertype arp;\n", ""), encoding="utf-8")
    monkeypatch.setenv("ZTFAST_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    with running() as fake:
        target = f"controller:{DEPLOYED}@{fake.url}"
        found = settings(rules, "--against", target)
        run("fetch", target, "--out", "saved")
        monkeypatch.setenv("ZTFAST_TOKEN", "another")
        refused = run("serve", str(rules), "--against", target)
        (tmp_path / "token").write_text(TOKEN)
        again = settings(rules, "--against", target, "--token-file", "token")
    saved = settings(rules, "--against", "saved/network.json")
    assert (found.deployed_name, saved.deployed_name) == (target, "saved/network.json")
    for one in (found, saved, again):
        assert one.deployed is not None
        assert meaning_digest(one.deployed) == meaning_digest(compile_text(OLD))
        lines = changes(one, one.rules.text)["lines"]
        assert [(line["head"][-8:], line["rule"]) for line in lines] == [
            (" removed", "accept ethertype arp")
        ]
    assert refused.returncode == 1
    assert "401" in refused.stderr
    rules.write_text("accept nonsense\n", encoding="utf-8")
    assert settings(rules, "--against", "saved/network.json").deployed is not None


def test_a_target_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZTFAST_TOKEN", raising=False)
    for against, said in (
        ("controller:123", "not a network id"),
        ("controller:8056c2e21c000001@http://192.0.2.1:9993", "unencrypted"),
        ("central:8056c2e21c000001", "no token"),
    ):
        with pytest.raises(UsageError, match=said):
            settings(RULES, "--against", against)
