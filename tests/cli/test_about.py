"""`ztfast --version`, and with --json what it runs on."""

from __future__ import annotations

import json
import platform
import re

import numpy as np
import pytest

import ztfast as package
from tests.cli.running import ztfast
from tests.pages import ROOT
from ztfast import dispatch
from ztfast.cli.about import OPTIONAL
from ztfast.network.toml import parse_toml


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert ztfast("--version") == 0
    assert capfd.readouterr().out == f"ztfast, version {package.__version__}\n"


def test_what_it_runs_on(capfd: pytest.CaptureFixture[str]) -> None:
    assert ztfast("--version", "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert found["ztfast"] == package.__version__
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert found["compiled"] == (dispatch.core is not None)
    assert found["simd"] == dispatch.simd_level
    assert found["platform"]
    assert "pyarrow" in found["optional"]


def test_every_package_that_an_extra_brings_is_named() -> None:
    project = parse_toml((ROOT / "pyproject.toml").read_bytes(), "pyproject.toml")["project"]
    brought = {
        re.split(r"[\[><=; ]", needed)[0]
        for extra, packages in project["optional-dependencies"].items()
        if extra not in ("test", "docs", "dev")  # which are for working on it
        for needed in packages
    }
    assert set(OPTIONAL) == brought - {"ztfast"}


def test_json_alone_is_wrong_usage(capfd: pytest.CaptureFixture[str]) -> None:
    assert ztfast("--json", "check") == 2
    assert "--json goes with --version" in capfd.readouterr().err
