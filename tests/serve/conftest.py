from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serve.running import NETWORK, RULES, Running, running


@pytest.fixture(scope="package")
def office() -> Iterator[Running]:
    """The example, served and logged in: for tests that change nothing."""
    with running(RULES, "--network", NETWORK, "--max-upload", "1M") as server:
        assert server.log_in().status == 204
        yield server
