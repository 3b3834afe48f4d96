"""A View: the rules that one side of the network evaluates.

Contract: a frozen value, made from a policy by `make_view`; it holds engine entries
(`model.kinds.Entry`), the direction and the engine version, and nothing of any member.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ztfast.errors import usage
from ztfast.model.entries import read_entries
from ztfast.model.kinds import Entry
from ztfast.model.policy import Policy

DIRECTIONS = ("out", "in")
ENGINES = ("1.14", "1.12")


@dataclass(frozen=True)
class View:
    """Base rules and capabilities as one direction evaluates them.

    `capabilities` are in the order in which they are tried; `capability_ids` are their
    ids.  Which of them a frame's sender holds is the `BatchContext`'s to say.
    """

    direction: str
    base: tuple[Entry, ...]
    capabilities: tuple[tuple[Entry, ...], ...] = ()
    capability_ids: tuple[int, ...] = ()
    engine: str = "1.14"

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise usage(f"unknown direction {self.direction!r}", "use 'out' or 'in'")
        if self.engine not in ENGINES:
            raise usage(f"unknown engine {self.engine!r}", "use '1.14' or '1.12'")


def make_view(policy: Policy, direction: str, engine: str = "1.14") -> View:
    """The view of a policy: capabilities in ascending order of id, as nodes keep them."""
    ordered = policy.ordered_capabilities
    return View(
        direction=direction,
        base=read_entries(rule.json for rule in policy.rules),
        capabilities=tuple(read_entries(rule.json for rule in cap.rules) for cap in ordered),
        capability_ids=tuple(cap.id for cap in ordered),
        engine=engine,
    )


def default_capabilities(view: View, policy: Policy | None) -> npt.NDArray[np.bool_]:
    """Which of the view's capabilities every member holds by default; bool[capabilities]."""
    capabilities = policy.capabilities if policy is not None else ()
    given = {cap.id for cap in capabilities if cap.default}
    return np.array([number in given for number in view.capability_ids], dtype=np.bool_)
