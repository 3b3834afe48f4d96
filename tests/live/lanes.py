"""The lanes of the tap's loops as parameters: each backend with the plain and the compiled ones."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.needs import BACKENDS
from ztfast.live import loops, plain_loops, plain_turns, plain_ways

PLAIN = SimpleNamespace(**{
    **vars(plain_loops), **vars(plain_ways), "Lane": plain_turns.Lane, "Rounds": plain_turns.Rounds,
})  # fmt: skip
# the reference needs none of the tap's loops
WAYS = [
    pytest.param((backend, module), id=f"{backend}-{name}")
    for backend in BACKENDS
    for name, module in (("plain", PLAIN), *((("compiled", loops),) if loops.compiled else ()))
    if backend == "native" or module is PLAIN
]
