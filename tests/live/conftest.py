"""Networks of their own for tests of the tap."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.network import Network, why_no_networks


@pytest.fixture
def network() -> Iterator[Network]:
    """Three namespaces in a row; the test is skipped by name where they are not permitted."""
    why = why_no_networks()
    if why:
        pytest.skip(why)
    made = Network()
    yield made
    made.remove()


@pytest.fixture
def tee(tmp_path: Path) -> Path:
    """Rules that let everything pass and copy all of it to a sensor."""
    path = tmp_path / "tee.ztrules"
    path.write_text("tee -1 8e30f50a25;\naccept;\n", encoding="utf-8")
    return path
