"""ztfast: check, test and run ZeroTier flow rules on captures and live traffic.

Contract: the public names, nothing else.  They are loaded when first used (PEP 562), so
that the command line starts as fast as numpy does; importing this loads neither the
command line's libraries nor optional ones.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ztfast.capture import PacketBatch as PacketBatch
    from ztfast.capture import open_capture as open_capture
    from ztfast.capture import open_captures as open_captures
    from ztfast.dispatch import simd_level as simd_level
    from ztfast.engine.case import evaluate_case as evaluate_case
    from ztfast.engine.engine import Engine as Engine
    from ztfast.engine.network_verdicts import Action as Action
    from ztfast.engine.network_verdicts import Copy as Copy
    from ztfast.engine.network_verdicts import Verdicts as Verdicts
    from ztfast.errors import BackendError as BackendError
    from ztfast.errors import CaptureError as CaptureError
    from ztfast.errors import Diagnostic as Diagnostic
    from ztfast.errors import FrameError as FrameError
    from ztfast.errors import NetworkError as NetworkError
    from ztfast.errors import OutputError as OutputError
    from ztfast.errors import RulesError as RulesError
    from ztfast.errors import TableError as TableError
    from ztfast.errors import UsageError as UsageError
    from ztfast.errors import ZtfastError as ZtfastError
    from ztfast.filter import Filter as Filter
    from ztfast.frames.batch import FrameBatch as FrameBatch
    from ztfast.lang import compile_text
    from ztfast.lang import load as load
    from ztfast.lang import print_policy as print_policy
    from ztfast.model.policy import Policy as Policy
    from ztfast.network.load import load_network as load_network
    from ztfast.network.members import Network as Network
    from ztfast.pipeline.deliver import deliver as deliver
    from ztfast.pipeline.deliveries import Deliveries as Deliveries
    from ztfast.pipeline.judge import Judgement as Judgement
    from ztfast.pipeline.judge import judge as judge
    from ztfast.pipeline.reach import Reach as Reach
    from ztfast.pipeline.reach import reach as reach
    from ztfast.pipeline.read import read as read
    from ztfast.pipeline.run import Run as Run
    from ztfast.pipeline.run import run as run
    from ztfast.pipeline.tally import Tally as Tally

    compile = compile_text
    simd = simd_level  # the name before 0.2
    backend: str

__version__ = "0.1.0"

# public name -> (module, its name there)
_PUBLIC: dict[str, tuple[str, str]] = {
    "Action": ("ztfast.engine.network_verdicts", "Action"),
    "Copy": ("ztfast.engine.network_verdicts", "Copy"),
    "Deliveries": ("ztfast.pipeline.deliver", "Deliveries"),
    "Engine": ("ztfast.engine.engine", "Engine"),
    "Filter": ("ztfast.filter", "Filter"),
    "FrameBatch": ("ztfast.frames.batch", "FrameBatch"),
    "Judgement": ("ztfast.pipeline.judge", "Judgement"),
    "Network": ("ztfast.network.members", "Network"),
    "PacketBatch": ("ztfast.capture.packets", "PacketBatch"),
    "Policy": ("ztfast.model.policy", "Policy"),
    "Reach": ("ztfast.pipeline.reach", "Reach"),
    "Run": ("ztfast.pipeline.run", "Run"),
    "Tally": ("ztfast.pipeline.tally", "Tally"),
    "Verdicts": ("ztfast.engine.network_verdicts", "Verdicts"),
    "compile": ("ztfast.lang", "compile_text"),
    "judge": ("ztfast.pipeline.judge", "judge"),
    "deliver": ("ztfast.pipeline.deliver", "deliver"),
    "evaluate_case": ("ztfast.engine.case", "evaluate_case"),
    "load": ("ztfast.lang", "load"),
    "load_network": ("ztfast.network.load", "load_network"),
    "open_capture": ("ztfast.capture", "open_capture"),
    "open_captures": ("ztfast.capture", "open_captures"),
    "print_policy": ("ztfast.lang", "print_policy"),
    "reach": ("ztfast.pipeline.reach", "reach"),
    "read": ("ztfast.pipeline.read", "read"),
    "run": ("ztfast.pipeline.run", "run"),
    "simd": ("ztfast.dispatch", "simd_level"),  # the name before 0.2
    "simd_level": ("ztfast.dispatch", "simd_level"),
    **{
        name: ("ztfast.errors", name)
        for name in (
            "BackendError",
            "CaptureError",
            "Diagnostic",
            "FrameError",
            "NetworkError",
            "OutputError",
            "RulesError",
            "TableError",
            "UsageError",
            "ZtfastError",
        )
    },
}

__all__ = [*sorted(_PUBLIC), "backend"]  # noqa: PLE0604  (names, all of them texts)


def __getattr__(name: str) -> Any:
    """Load a public name; `ztfast.backend` is what "auto" runs here ("native" or "reference")."""
    if name == "backend":
        from ztfast.engine.backends import choose

        return choose()
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ztfast' has no attribute {name!r}")
    module, own = _PUBLIC[name]
    value = getattr(importlib.import_module(module), own)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted((*globals(), *__all__))
