"""What was proved, as lines of text for people and as objects for programs.

Contract: pure functions of the results of `proof.search` and `proof.diff`.  Lines have no newline
and are not yet made harmless for a terminal: names in them are the rules' own.
Tested by tests/proof/test_render.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ztfast.frames.build import ethernet_bytes
from ztfast.frames.frame import Frame
from ztfast.frames.text import frame_text
from ztfast.proof.diff import Change, Difference
from ztfast.proof.search import SearchResult
from ztfast.proof.symbolic_policy import WitnessVerdict

# where a copy or a redirect goes, as `verdict_text` says it
_TARGET = re.compile(r"\bto ([0-9a-f]{10}) at the ")


# --- text


def search_lines(
    result: SearchResult | None, verdict: str, names: Mapping[int, str] | None = None
) -> list[str]:
    """A witness and how to have it explained, or that there is none; `verdict`: what was asked.

    names: members' names by ZeroTier address.
    """
    if result is None:
        return [f"no frame gets `{verdict}`: proved for every frame, member and draw asked for"]
    lines = [f"{frame_text(result.frame)}: {verdict_words(result.verdict, names)}"]
    if result.circumstances:
        lines.append(f"  where: {result.circumstances}")
    return [*lines, f"  --frame {_frame_option(result.frame)}"]


def verdict_words(found: WitnessVerdict, names: Mapping[int, str] | None = None) -> str:
    """A verdict on a witness, with members called by name."""
    return f"{called(str(found.verdict), names or {})} {found.by}".rstrip()


def called(text: str, names: Mapping[int, str]) -> str:
    """What `verdict_text` says, with members called by name."""
    return _TARGET.sub(lambda to: f"to {names.get(int(to[1], 16), to[1])} at the ", text)


def _frame_option(frame: Frame) -> str:
    return f"'{hex_text(frame)} vlan {frame.vlan}'" if frame.vlan else hex_text(frame)


def hex_text(frame: Frame) -> str:
    """The frame with its Ethernet header, in hex as `ztfast explain --frame` takes it."""
    return "hex:" + ethernet_bytes(frame).hex()


def diff_lines(
    found: Difference, between: str = "", names: Mapping[int, str] | None = None
) -> list[str]:
    """The classes, each with both verdicts and a witness, or that there are none.

    between: the ends that were asked about, in words.  names: members' names by ZeroTier address.
    """
    if not found.changes:
        return [
            f"no difference: proved for every frame {between}".rstrip()
            if found.complete
            else "something may differ: nothing was proved in time"
        ]
    head = [f"{between}:"] if between else []
    return [
        *head,
        *(line for change in merged(found.changes) for line in _change_lines(change, names)),
    ]


def merged(changes: Iterable[Change]) -> list[Change]:
    """Without those of which another says the same: they differ in how a fact is known."""
    first: dict[tuple[str, str, str], Change] = {}
    for change in changes:
        first.setdefault((change.words, str(change.old), str(change.new)), change)
    return list(first.values())


def _change_lines(change: Change, names: Mapping[int, str] | None) -> list[str]:
    lines = [
        f"{change.words}:",
        f"  {verdict_words(change.old, names)}",
        f"  now {verdict_words(change.new, names)}",
        f"  such as {frame_text(change.frame)}",
    ]
    return [*lines, f"    ({change.circumstances})"] if change.circumstances else lines


# --- objects


def search_json(result: SearchResult | None) -> dict[str, Any]:
    """`{"found", "proved", "witness", "verdict", "by"}`, the last three where one was found."""
    found: dict[str, Any] = {"found": result is not None, "proved": result is None}
    if result is not None:
        found["witness"] = witness_json(result.frame, result.circumstances)
        found |= verdict_json(result.verdict)
    return found


def diff_json(found: Difference) -> dict[str, Any]:
    """`{"complete", "open", "changes"}`; open: why it is not complete, or None."""
    return {
        "complete": found.complete,
        "open": found.incomplete or None,
        "changes": [
            {
                "frames": change.words,
                "old": verdict_json(change.old),
                "new": verdict_json(change.new),
                "witness": witness_json(change.frame, change.circumstances),
            }
            for change in merged(found.changes)
        ],
    }


def verdict_json(found: WitnessVerdict) -> dict[str, Any]:
    """A verdict on a witness for other programs."""
    return {"verdict": str(found.verdict), "by": found.by}


def witness_json(frame: Frame, circumstances: str) -> dict[str, Any]:
    """A witness for other programs."""
    return {
        "text": frame_text(frame),
        "hex": hex_text(frame),
        "vlan": frame.vlan,
        "circumstances": circumstances,
    }
