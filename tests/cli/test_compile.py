"""`ztfast compile` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.running import run
from tests.lang.vectors import vectors

TEXT = "tag größe id 1 ;\naccept teq größe 0x10 ;\n"


def test_prints_the_official_json() -> None:
    case = next(case for case in vectors("compile") if "output" in case)
    done = run("compile", "-", stdin=case["source"])
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == case["output"]
    assert done.stdout.startswith('{\n  "config"')


def test_there_and_back(tmp_path: Path) -> None:
    text, compiled, back = tmp_path / "a.ztrules", tmp_path / "a.json", tmp_path / "b.ztrules"
    text.write_text(TEXT, encoding="utf-8")
    compiled.write_text("old")
    compiled.chmod(0o640)
    assert run("compile", str(text), "-o", str(compiled)).stdout == ""
    assert compiled.stat().st_mode & 0o777 == 0o640
    assert run("compile", str(compiled), "--decompile", "-o", str(back)).returncode == 0
    assert json.loads(run("compile", str(back)).stdout) == json.loads(compiled.read_text())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.ztrules", "b.ztrules"]


def test_errors_are_on_standard_error_with_the_line_underlined(tmp_path: Path) -> None:
    done = run("compile", "-", stdin="accept dport 1 ;\ndrop dprt 2 and sport x ;\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "<stdin>:2:5: error[ZT011]: `dprt` is not a match\n"
        " 2 | drop dprt 2 and sport x ;\n"
        "   |      ^^^^\n"
        "  help: expected a match, `and`, `or`, `not` or the closing `;`; did you mean `dport`?\n"
        "<stdin>:2:22: error[ZT014]: `x` is not a port or port range\n"
        " 2 | drop dprt 2 and sport x ;\n"
        "   |                       ^\n"
        "  help: expected N or N-M with N ≤ M, both from 0 to 65535, without spaces\n"
    )
    missing = run("compile", str(tmp_path / "none"))
    assert missing.returncode == 1
    assert "ZT051" in missing.stderr
    nowhere = run("compile", "-", "-o", str(tmp_path / "no" / "where"))
    assert nowhere.returncode == 1
    assert "ZT003" in nowhere.stderr
    assert run("compile").returncode == 2
