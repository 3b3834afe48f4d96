"""Making very many objects that stay, without the garbage collector looking at them over and over.

Contract: what it was set to before is so again behind the call, whatever the call raises; two
threads at once can at most have it collect meanwhile.  Tested by tests/network/test_collecting.py.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def uncollected(function: Callable[P, T]) -> Callable[P, T]:
    """The function, run with the collector off."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        was_on = gc.isenabled()
        gc.disable()
        try:
            return function(*args, **kwargs)
        finally:
            if was_on:
                gc.enable()

    return run
