"""The grid of who reaches whom, for the page: groups of members, and what is open between them.

Contract: JSON-ready; each cell is shown by one pair of members, service by service, with the reason
of what is closed.  Where members fare so differently that no grid can be read, the answer holds
lines of text instead.  Raises ZtfastError.  Tested by tests/serve/test_ask_reach.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ztfast.network.members import member_names
from ztfast.pipeline.reach import SERVICES, WORDS, Reach, reach
from ztfast.pipeline.reach_frames import Step
from ztfast.pipeline.reach_judge import Why
from ztfast.report.reach_grid import grid, grid_lines
from ztfast.serve.settings import Settings

MOST_CELLS = 10_000


def reach_grid(settings: Settings, text: str, services: Sequence[str]) -> dict[str, Any]:
    """The grid for some services; for the usual ones where none is named."""
    found = reach(settings.policy(text), settings.members, services or SERVICES)
    names = list(member_names(found.members).values())
    answer: dict[str, Any] = {
        "services": [service.name for service in found.services],
        "members": len(names),
        "ways": len(found.why),
        "open": int(found.open.sum()),
    }
    made = grid(found)
    if len(made.clients) * len(made.servers) > MOST_CELLS:
        return {**answer, "lines": grid_lines(found)}
    where = _places(found)
    return {
        **answer,
        "clients": [[names[number] for number in group] for group in made.clients],
        "servers": [[names[number] for number in group] for group in made.servers],
        "cells": [
            [None if pair is None else _cell(found, names, int(where[pair])) for pair in row]
            for row in made.pairs
        ],
    }


def _places(found: Reach) -> Any:
    """Where each pair's first service is among the cells."""
    count, many = len(found.members), len(found.services)
    where = np.zeros((count, count), np.int64)
    where[found.client[::many], found.server[::many]] = np.arange(0, len(found.why), many)
    return where


def _cell(found: Reach, names: Sequence[str], first: int) -> dict[str, Any]:
    return {
        "from": names[found.client[first]],
        "to": names[found.server[first]],
        "services": [
            _service(found, names, first + number) for number in range(len(found.services))
        ],
    }


def _service(found: Reach, names: Sequence[str], cell: int) -> dict[str, Any]:
    why = Why(int(found.why[cell]))
    at = int(found.at[cell])
    return {
        "open": why is Why.OPEN,
        "why": WORDS[why],
        "step": Step(int(found.step[cell])).name.lower(),
        "at": names[at] if at >= 0 else None,
        "line": int(found.line[cell]) or None,
    }
