"""Why a frame gets its verdict: one that is written down, of a capture, or of a cell of the grid.

Contract: JSON-ready answers, `explain.render.to_object` with the short text beside it, and what the
deployed rules say of the same frame; raises ZtfastError.
Tested by tests/serve/test_ask_explain.py.
"""

from __future__ import annotations

from typing import Any

from ztfast.errors import FrameError, UsageError
from ztfast.explain.contexts import ContextResolver, Ends, with_member_macs
from ztfast.explain.delivery import delivery_notes
from ztfast.explain.explain import Explanation, explain
from ztfast.explain.render import to_object, to_text
from ztfast.frames.frame import Frame
from ztfast.frames.headers import ip_ends
from ztfast.frames.notation import FrameSpec, parse_frame
from ztfast.model.policy import Policy
from ztfast.network.names import MemberNames
from ztfast.pipeline.reach import cell_frame, reach
from ztfast.pipeline.reach_frames import Step
from ztfast.pipeline.read import captured_frame
from ztfast.serve.settings import Settings

Answer = dict[str, Any]


def written_frame(settings: Settings, text: str, notation: str) -> Answer:
    """Of a frame in the notation of docs/explain.md."""
    names = None if settings.network is None else MemberNames(settings.network)
    try:
        spec = parse_frame(notation, names)
    except FrameError as error:
        raise UsageError(*error.diagnostics) from None
    return _answer(settings, settings.policy(text), spec, 0)


def frame_of_capture(settings: Settings, text: str, path: str, number: int) -> Answer:
    """Of the frame `number` (from 1) of a capture."""
    policy = settings.policy(text)
    return _answer(settings, policy, _spec(captured_frame(path, number)), number - 1)


def frame_of_cell(settings: Settings, text: str, client: str, server: str, service: str) -> Answer:
    """Of the frame that closes a cell of the grid; of its request where it is open."""
    policy, network = settings.policy(text), settings.members
    cell = reach(policy, network, [service], clients=[client], servers=[server])
    step = Step(int(cell.step[0])) if len(cell.step) else Step.REQUEST
    frame = cell_frame(network, client, server, service, step)
    return {**_answer(settings, policy, _spec(frame), 0), "step": step.name.lower()}


def _spec(frame: Frame) -> FrameSpec:
    return FrameSpec("", frame, None, None, *ip_ends(frame))


def _answer(settings: Settings, policy: Policy, spec: FrameSpec, number: int) -> Answer:
    found = _explained(settings, policy, spec, number)
    old = settings.deployed
    deployed = None if old is None else _explained(settings, old, spec, number).verdict
    return {**to_object(found), "text": to_text(found, brief=True), "deployed": deployed}


def _explained(settings: Settings, policy: Policy, spec: FrameSpec, number: int) -> Explanation:
    network = settings.network
    resolver = ContextResolver(policy, network)
    if network is None:
        contexts = resolver.described_contexts(spec, Ends(None, None), number)
    else:
        contexts = resolver.contexts(with_member_macs(spec, network), number)
    notes = delivery_notes(resolver, contexts.frame, number)
    return explain(resolver, contexts, "both", notes)
