"""A change of rules for people and programs: text, Markdown, HTML, JSON.

Contract: pure functions of a report's lines (`proof.edit_lines`).  Whatever names hold, Markdown
and HTML show it as it is, and a terminal is not steered (text is made harmless by its caller).
Tested by tests/proof/test_edit_formats.py.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ztfast.diagnostics.render import harmless
from ztfast.frames.text import frame_text
from ztfast.proof.edit_effects import EditReport, Effect
from ztfast.proof.edit_lines import EditLine, EditWriter, closing_line
from ztfast.proof.render import verdict_json, verdict_words, witness_json

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~])")


@dataclass(frozen=True)
class ChangeText:
    """All that is said of a change: its edits and what is proved, then other parts with a title.

    between: the ends that it is about, as `from anna to files`; "" for all.
    """

    lines: Sequence[EditLine]
    closing: str
    details: Sequence[tuple[EditLine, Sequence[str]]] = ()
    parts: Sequence[tuple[str, Sequence[str]]] = ()
    between: str = ""

    @property
    def title(self) -> str:
        """What stands above it."""
        return f"Flow rules, {self.between}" if self.between else "Flow rules"


def change_text(
    report: EditReport,
    writer: EditWriter,
    limit: int,
    verbose: bool,
    parts: Sequence[tuple[str, Sequence[str]]] = (),
    between: str = "",
) -> ChangeText:
    """What there is to say; limit: at most so many edits, those with an effect first to stay."""
    every = writer.lines(report)
    lines = every
    if len(every) > limit:
        rest = f"{len(every) - limit} more edits"
        lines = [*every[:limit], EditLine(rest, "not shown (--limit shows more)")]
    details = list(_details(report, every[:limit], writer.names)) if verbose else []
    return ChangeText(lines, closing_line(report, every, between), details, parts, between)


def _details(
    report: EditReport, lines: Sequence[EditLine], names: Mapping[int, str]
) -> Iterator[tuple[EditLine, Sequence[str]]]:
    """For each edit its rule, and a witness of each kind of change."""
    rules = [one for one in report.edits if one.edit is not None and one.edit.kind != "setting"]
    for one, line in zip((*rules, report.rest), lines, strict=False):
        found = [line.rule] if line.rule else []
        for effect in one.effects:
            found += effect_lines(effect, names)
        yield line, found


def effect_lines(effect: Effect, names: Mapping[int, str]) -> list[str]:
    """A kind of change by its witness: both verdicts, the frame, its circumstances."""
    old, new = (verdict_words(found, names) for found in (effect.old, effect.new))
    lines = [f"such as {frame_text(effect.frame)}", f"  {old}", f"  now {new}"]
    return [*lines, f"  ({effect.circumstances})"] if effect.circumstances else lines


# --- text


def text_lines(change: ChangeText) -> list[str]:
    """For a terminal: each edit in a line, then what is proved, then the details."""
    lines = [f"{change.between}:"] if change.between else []
    lines += [*map(str, change.lines), change.closing]
    for title, part in change.parts:
        lines += ["", *([title] if title else []), *part]
    for line, details in change.details:
        lines += ["", f"{line.head}:", *(f"  {text}" for text in details)]
    return lines


# --- Markdown


def markdown(change: ChangeText) -> str:
    """For a pull request."""
    lines = [f"### {_md(change.title)}", ""]
    lines += [f"- **{_md(line.head)}**: {_md(line.body)}" for line in change.lines]
    lines += ["", f"{_md(change.closing)}."]
    for title, part in change.parts:
        lines += ["", f"#### {_md(title)}", "", *_fence(part)]
    for line, details in change.details:
        lines += ["", f"<details><summary>{_escaped(line.head)}</summary>", ""]
        lines += [*_fence(details), "", "</details>"]
    return "\n".join(lines) + "\n"


def _md(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", _escaped(text))


def _escaped(text: str) -> str:
    return html.escape(harmless(text, keep=""), quote=False)


def _fence(lines: Iterable[str]) -> list[str]:
    """A block that shows lines as they are; its fence is longer than any in them."""
    shown = [harmless(line, keep="") for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *shown, fence]


# --- HTML


def page(change: ChangeText) -> str:
    """A page of its own, without scripts."""
    items = "\n".join(
        f"<li><strong>{_escaped(line.head)}</strong>: {_escaped(line.body)}"
        + (f"<br><code>{_escaped(line.rule)}</code>" if line.rule else "")
        + "</li>"
        for line in change.lines
    )
    title = _escaped(change.title)
    body = [f"<h1>{title}</h1>\n<ul>\n{items}\n</ul>\n<p>{_escaped(change.closing)}.</p>"]
    body += [f"<h2>{_escaped(title)}</h2>\n{_pre(part)}" for title, part in change.parts]
    body += [
        f"<details><summary>{_escaped(line.head)}</summary>\n{_pre(details)}\n</details>"
        for line, details in change.details
    ]
    head = f'<!doctype html>\n<meta charset="utf-8">\n<title>{title}</title>\n'
    return head + "\n".join(body) + "\n"


def _pre(lines: Iterable[str]) -> str:
    return "<pre>" + "\n".join(map(_escaped, lines)) + "</pre>"


# --- JSON


def report_json(report: EditReport, writer: EditWriter) -> dict[str, Any]:
    """`{"complete", "open", "edits", "changes"}`; open: why it is not complete, or None."""
    lines = writer.lines(report)
    rules = [one for one in report.edits if one.edit is not None and one.edit.kind != "setting"]
    found = list(zip((*rules, report.rest), lines, strict=False))
    return {
        "complete": not report.incomplete,
        "open": report.incomplete or None,
        "edits": [
            {
                "edit": line.head,
                "effect": line.body,
                "rule": line.rule or None,
                "kind": one.edit.kind if one.edit is not None else "setting",
                "decided": one.decided,
            }
            for one, line in found
        ],
        "changes": [
            _effect_json(effect, number)
            for number, (one, _) in enumerate(found)
            for effect in one.effects
        ],
    }


def _effect_json(effect: Effect, edit: int) -> dict[str, Any]:
    """A kind of change; edit: the index of its edit."""
    return {
        "edit": edit,
        "named": effect.part or None,
        "all": effect.whole,
        "before": effect.before,
        "after": effect.after,
        "by": [None if one is None else one.place for one in effect.deciders],
        "more_rules": effect.others,
        "copies": [
            {
                "kind": copy.kind,
                "to": f"{copy.target:010x}",
                "starts": copy.starts,
                "all": copy.whole,
            }
            for copy in effect.copies
        ],
        "old": verdict_json(effect.old),
        "new": verdict_json(effect.new),
        "witness": witness_json(effect.frame, effect.circumstances),
    }
