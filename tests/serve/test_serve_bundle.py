"""What is shipped is what the sources in `web/` give, built anew from the lock file."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from tests.pages import ROOT

WEB = ROOT / "web"
SOURCES = ("package.json", "package-lock.json", "build.mjs", "src")
# what npm says where there is no registry, or none of the versions that the lock file names
UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "E404", "E403")

needs_sources = pytest.mark.skipif(not WEB.exists(), reason="not in a source tree")


def shipped() -> dict[str, bytes]:
    return {item.name: item.read_bytes() for item in (files("ztfast.serve") / "static").iterdir()}


def built(folder: Path) -> dict[str, bytes]:
    """A fresh build, made in a folder of its own."""
    for name in SOURCES:
        copy = shutil.copytree if (WEB / name).is_dir() else shutil.copy
        copy(WEB / name, folder / name)
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode and any(word in done.stderr for word in UNREACHABLE):
        pytest.skip("no npm registry")
    assert done.returncode == 0, done.stderr
    command = ["node", "build.mjs", str(folder / "out")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir()}


@needs_sources
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm: not installed")
def test_a_fresh_build_is_what_is_shipped(tmp_path: Path) -> None:
    made, here = built(tmp_path), shipped()
    assert sorted(made) == sorted(here)
    different = [name for name, data in made.items() if here[name] != data]
    assert not different, "run `npm ci && npm run build` in web/, and commit what it makes"


@needs_sources
def test_versions_are_exact() -> None:
    wanted = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    versions = {**wanted["dependencies"], **wanted["devDependencies"]}
    assert len(versions) > 5
    locked = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in versions} == versions
    assert all("integrity" in package for name, package in locked.items() if name)


def test_each_package_has_its_licence() -> None:
    text = shipped()["LICENSES.txt"].decode()
    for name in ("@codemirror/view", "@codemirror/lsp-client", "@lezer/highlight", "marked"):
        assert f"\n{name} " in text
    assert text.count("\n" + "-" * 78 + "\n") == text.count("(MIT)\n") > 10
