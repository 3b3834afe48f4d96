"""Settings for tests that ask without HTTP: the example, or a text with or without its members."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.serve.running import NETWORK, RULES
from ztfast.errors import Source
from ztfast.network.load import load_network
from ztfast.network.members import Network
from ztfast.serve.settings import Settings

TEXT = RULES.read_text(encoding="utf-8")


@cache
def office() -> Network:
    return load_network(NETWORK)


def settings(text: str = TEXT, **more: Any) -> Settings:
    """As `ztfast serve` makes them; network: the example's unless said otherwise."""
    return Settings(**{"rules": Source("rules.ztrules", text), "network": office(), **more})
