"""Warnings: what compiles and does not do what it seems to say.

Contract: docs/spec/rules-language.md section 6, each finding with a stable code, a place, what
happens and what to write instead; the compiled output never changes.  `check` is the
whole of it: errors and warnings of a text or JSON, `# ztfast: ignore ZT101` respected.
Tested by tests/lang/test_lint.py (every code by its own example in `diagnostics.codes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ztfast.errors import Diagnostic, RulesError, Severity, Source
from ztfast.lang.compiler import Used, compile_tree
from ztfast.lang.controller import read_json
from ztfast.lang.definitions import Definitions, split_list
from ztfast.lang.lint_entries import lint_arguments, lint_policy, warning
from ztfast.lang.matches import quote
from ztfast.lang.numbers import parse_default, parse_number
from ztfast.lang.parser import Tree, parse
from ztfast.lang.rewrites import replaced, without_block
from ztfast.lang.sources import is_json
from ztfast.lang.tokens import Lines, Word, scan
from ztfast.model.names import DEFINITION_WORDS, RESERVED
from ztfast.model.policy import Policy

MAX_FINDINGS = 1000


def check(source: Source) -> tuple[Policy | None, list[Diagnostic]]:
    """Errors and warnings of a rules text or rules JSON, and its policy where there is one.

    Findings stand in the order of the text; those that a comment ignores are left out.
    """
    policy: Policy | None
    try:
        if is_json(source.text):
            policy, read = read_json(source.text, source.name)
            found = [*read, *lint_policy(policy)]
        else:
            policy, found = _check_text(source)
    except RulesError as error:
        return None, list(error.diagnostics)
    if any(finding.severity == Severity.ERROR for finding in found):
        policy = None
    return policy, unsuppressed(source, found)


def _check_text(source: Source) -> tuple[Policy, list[Diagnostic]]:
    tree = parse(source)
    policy, definitions, used = compile_tree(source, tree, record=True)
    lines = Lines(source.text)
    found = [
        *_blocks(tree, lines, source),
        *_definitions(tree, definitions, policy, used, lines, source),
        *_unreplaced(used, lines, source),
        *_parentheses(definitions, used, lines, source),
        *lint_arguments(used.arguments or (), source),
        *lint_policy(policy),
    ]
    return policy, found


# --- suppression

_IGNORE = re.compile(r"#+[ \t]*ztfast:[ \t]*ignore(-file)?\b(.*)")
_CODE = re.compile(r"ZT[0-9]{3}")


def unsuppressed(source: Source, findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings in order, once each, without those that a comment of the text ignores.

    `# ztfast: ignore ZT101` speaks for its line, `# ztfast: ignore-file ZT125` for the
    whole text; without a code, both mean every warning.  Errors are never ignored.
    """
    by_line, everywhere = _ignored(source)
    kept: dict[tuple[str, int, str], Diagnostic] = {}
    for finding in findings:
        line = finding.span.line if finding.span is not None else 0
        ignored = everywhere | by_line.get(line, set())
        if finding.severity != Severity.ERROR and ("" in ignored or finding.code in ignored):
            continue
        start = finding.span.start if finding.span is not None else -1
        kept.setdefault((finding.code, start, finding.message), finding)
    ordered = sorted(kept.values(), key=lambda f: f.span.start if f.span is not None else -1)
    return ordered[:MAX_FINDINGS]


def _ignored(source: Source) -> tuple[dict[int, set[str]], set[str]]:
    by_line: dict[int, set[str]] = {}
    everywhere: set[str] = set()
    if "ztfast:" not in source.text or is_json(source.text):
        return by_line, everywhere
    lines = Lines(source.text)
    for comment in scan(source.text):
        if comment.text[0] != "#":
            continue
        found = _IGNORE.match(comment.text)
        if found is None:
            continue
        codes = set(_CODE.findall(found.group(2))) or {""}
        if found.group(1):
            everywhere |= codes
        else:
            by_line.setdefault(lines.of(comment).line, set()).update(codes)
    return by_line, everywhere


# --- blocks


def _blocks(tree: Tree, lines: Lines, source: Source) -> Iterator[Diagnostic]:
    seen: set[int] = set()
    for opener, close in tree.not_closed:
        if opener.start in seen or tree.last <= max(close.start, opener.start):
            continue
        seen.add(opener.start)
        yield warning(
            "ZT101",
            f"`;` does not close the empty block of `{opener.text}`: what follows lands in it",
            lines.of(opener),
            source,
            f"write `{opener.text.capitalize()}` (a capital opens no block), or put it last",
            without_block(source, opener, close),
        )
    if tree.lost and len(tree.open_at_end) > 1:
        outermost, innermost = tree.open_at_end[0], tree.open_at_end[-1]
        yield warning(
            "ZT102",
            f"the block of `{outermost.text}` and all in it is lost: the text ends inside "
            f"the empty block of `{innermost.text}`",
            lines.of(outermost),
            source,
            f"close the blocks, and write `{innermost.text.capitalize()}` for the last one",
        )
    for word, opener in tree.closed_around:
        yield warning(
            "ZT103",
            f"`{word.text};` ends the block of `{opener.text}` around it: what follows is outside",
            lines.of(word),
            source,
            f"if the `;` that closes the `{opener.text}` is missing, put it before this line;"
            f" if not, write `{word.text.capitalize()}` without `;` inside a block",
            without_block(source, word, word),
        )


# --- definitions


def _definitions(
    tree: Tree,
    definitions: Definitions,
    policy: Policy,
    used: Used,
    lines: Lines,
    source: Source,
) -> Iterator[Diagnostic]:
    yield from _tags(definitions, policy, used, lines, source)
    for macro in definitions.macros.values():
        if macro.name not in used.macros:
            yield warning(
                "ZT118",
                f"the macro `{macro.name}` is never included: its rules are not checked either",
                lines.of(macro.word),
                source,
                f"write `include {macro.name}`, or remove the macro",
            )
    for word, message, help in _unreachable_names(tree, definitions):
        lowered = word.text.lower()
        upper = lowered in help  # and nothing else is wrong with the name
        fix = replaced(source, word, word.text, lowered, safe=True) if upper else None
        yield warning("ZT117", message, lines.of(word), source, help, fix)


def _tags(
    definitions: Definitions, policy: Policy, used: Used, lines: Lines, source: Source
) -> Iterator[Diagnostic]:
    ids = {parse_number(name) for name in used.tags}
    owner: dict[int, str] = {}
    for name, tag in definitions.tags.items():
        span = lines.of(definitions.tag_words[name])
        if tag.id in owner:
            yield warning(
                "ZT116",
                f"the tags `{owner[tag.id]}` and `{name}` share the id {tag.id}: "
                "a member has one value for both",
                span,
                source,
                "give each tag its own id",
            )
        owner.setdefault(tag.id, name)
        if name not in used.tags and tag.id not in ids:
            help = "match it (`teq`, `tseq`, `treq`, `tand`, …), or remove the tag"
            yield warning("ZT118", f"no rule uses the tag `{name}`", span, source, help)
        if tag.default is not None:
            yield from _default(name, definitions, tag.default, lines, source)


def _default(
    name: str, definitions: Definitions, value: int, lines: Lines, source: Source
) -> Iterator[Diagnostic]:
    word = definitions.tag_defaults[name]
    tag = definitions.tags[name]
    span = lines.of(word)
    named = word.text in tag.enums or word.text in tag.flags
    if not named and parse_default(word.text) is None:
        lowered = word.text.lower()
        fix = None
        help = "name one of its enums or flags, or write a number"
        if lowered in tag.enums or lowered in tag.flags:
            help = f"names are lowered when defined but not when used: write {quote(lowered)}"
            fix = replaced(source, word, word.text, lowered)
        message = f"the default {quote(word.text)} names no enum or flag of this tag and becomes 0"
        yield warning("ZT114", message, span, source, help, fix)
    elif value < 0:
        yield warning(
            "ZT115",
            f"the default {quote(word.text)} becomes the negative number {value}",
            span,
            source,
            f"use a value below 2147483648, or an enum: `enum {value & 0xFFFFFFFF} name`",
        )


def _unreachable_names(tree: Tree, definitions: Definitions) -> Iterator[tuple[Word, str, str]]:
    """(word, what happens, what to write) of names that rules cannot use as written."""
    for position, item in enumerate(tree.items[:-1]):
        block = tree.items[position + 1]
        if not isinstance(item, Word) or item.text.lower() not in DEFINITION_WORDS:
            continue
        if not isinstance(block, list) or not isinstance(block[0], Word):
            continue
        head = block[0]
        kind = item.text.lower()
        if kind != "cap" and head.text != head.text.lower():
            yield _upper_case(head, kind)
        if kind == "macro":
            yield from _parameters(head, definitions)
        elif kind == "tag":
            words = [word for word in block if isinstance(word, Word)]
            yield from _values(words, definitions, head.text.lower())


def _upper_case(word: Word, kind: str) -> tuple[Word, str, str]:
    lowered = word.text.lower()
    return (
        word,
        f"the {kind} {quote(word.text)} is defined as {quote(lowered)}: "
        "rules can never refer to it as it is written here",
        f"write {quote(lowered)}",
    )


def _parameters(head: Word, definitions: Definitions) -> Iterator[tuple[Word, str, str]]:
    macro = definitions.macros.get(head.text.lower().partition("(")[0])
    for name in macro.parameters if macro is not None else ():
        if not name.startswith("$"):
            message = f"the parameter {quote(name)} can never be used, since it has no `$`"
            yield head, message, f"write {quote('$' + name)}"


def _values(
    words: list[Word], definitions: Definitions, tag_name: str
) -> Iterator[tuple[Word, str, str]]:
    tag = definitions.tags.get(tag_name)
    position = 1
    while position < len(words):
        kind = words[position].text.lower()
        if kind not in ("enum", "flag"):
            position += 2
            continue
        position += 3
        if position > len(words) or tag is None:
            return
        word = words[position - 1]
        lowered = word.text.lower()
        if lowered in RESERVED:
            message = f"the {kind} `{lowered}` is a reserved word: matches refuse it"
            yield word, message, "rename it"
        elif word.text != lowered:
            yield _upper_case(word, kind)
        elif kind == "enum" and lowered in tag.flags:
            message = f"the enum `{lowered}` is hidden by the flag of the same name"
            yield word, message, "rename one of them"
        elif kind == "flag" and tag.flags.get(lowered, 0) < 0:
            value = tag.flags[lowered]
            message = f"the flag `{lowered}` holds bit 31 and is {value}: matches refuse it"
            yield word, message, f"write the number {value & 0xFFFFFFFF} in matches"


def _unreplaced(used: Used, lines: Lines, source: Source) -> Iterator[Diagnostic]:
    for word in used.unreplaced:
        yield warning(
            "ZT113",
            f"the `$` in {quote(word.text)} is not replaced here: it is taken as written",
            lines.of(word),
            source,
            "parameters are replaced in the arguments of matches only: write the value itself",
        )


def _parentheses(
    definitions: Definitions, used: Used, lines: Lines, source: Source
) -> Iterator[Diagnostic]:
    heads = [macro.word for macro in definitions.macros.values() if "(" in macro.word.text]
    for word in (*heads, *used.includes):
        name, _, rest = word.text.partition("(")
        items = [item for item in split_list(rest) if item]
        if rest.endswith(")") and ")" not in rest[:-1] and ",," not in rest:
            continue
        yield warning(
            "ZT127",
            f"{quote(word.text)} is read as `{name}({','.join(items)[:80]})`",
            lines.of(word),
            source,
            f"write `{name}(…)` in one word: items, commas between them, one `)` at its end",
        )
