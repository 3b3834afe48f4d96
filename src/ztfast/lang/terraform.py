"""Rules in Terraform's files: `flow_rules` of a `.tf`, and of a state in JSON.

Contract: `flow_rules` gives each rules text of a `.tf` as a Source of the file's own name in
which everything else is blank, so that every place in it is the file's own line and column.
What is no literal text (a function, a variable, `${…}`) is an error with its place.  Time is
linear in the text, for at most `MAX_TEXTS` of them.  `state_rules` finds the text of a state's
one network, `resources` any resource of a provider's type.
Tested by tests/lang/test_terraform.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ztfast.errors import Diagnostic, RulesError, Source
from ztfast.lang.tokens import Lines, is_blank
from ztfast.model.entries import Json

_SUFFIXES = (".tf", ".tofu")
_TOKEN = re.compile(
    r"""
    (?P<comment> \#[^\n]* | //[^\n]* | /\*.*?(?:\*/|\Z) )
    | <<-?(?P<heredoc> [A-Za-z_][\w-]* )[ \t]*\r?\n
    | (?P<string> "(?:[^"\\\n]|\\[^\n])*" )
    | (?<![\w.-])(?P<rules> flow_rules )[ \t]*=(?!=)[ \t]*
    """,
    re.VERBOSE | re.DOTALL,
)
_TEMPLATE = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
_REST = re.compile(r"[ \t\r]*(?:$|[#}]|//|/\*)", re.MULTILINE)
_ESCAPED_BLANK = re.compile(r"\\[rt]")
_COMMENT = re.compile(r"(?<!\S)#.*")
_FILE = re.compile(r'(?:(?:chomp|trimspace)\()?file\("([^"]*)"\)')
_STATE = "check the state instead: terraform show -json > state.json"
MAX_TEXTS = 100


def is_terraform(name: str) -> bool:
    """True for the name of a file in Terraform's own language."""
    return name.lower().endswith(_SUFFIXES)


def flow_rules(source: Source) -> tuple[list[Source], list[Diagnostic]]:
    """Every rules text of a `.tf`, in order, and what is said of those that are no texts.

    Raises RulesError where there is neither.
    """
    texts: list[Source] = []
    refused: list[Diagnostic] = []
    for start, value in _values(source):
        if value is None:
            refused.append(_expression(source, start))
        elif template := _TEMPLATE.search(value):
            message = "only Terraform knows what stands here"
            refused.append(_finding(source, start + template.start(), message, _STATE))
        else:
            blank = re.sub(r"[^\r\n]", " ", source.text[:start])
            texts.append(Source(source.name, blank + value))
        if len(texts) + len(refused) > MAX_TEXTS:
            raise RulesError(_finding(source, start, f"more than {MAX_TEXTS} rules texts", None))
    if not texts and not refused:
        help = "give the file that has the zerotier_network, or the rules text itself"
        raise RulesError(_finding(source, None, "a Terraform file without `flow_rules`", help))
    return texts, refused


def _values(source: Source) -> Iterator[tuple[int, str | None]]:
    """Where the value of each `flow_rules` starts, and its text; None for an expression."""
    text, position = source.text, 0
    wanted: int | None = None  # where a `flow_rules =` ended: its value starts there
    while token := _TOKEN.search(text, position):
        start, position = token.span()
        inside, value = start, None
        if token["heredoc"] is not None:
            inside = token.end()
            end, position = _heredoc_end(source, token)
            value = text[inside:end]
        elif token["string"] is not None and _REST.match(text, position):
            inside, value = start + 1, _on_one_line(token["string"][1:-1])
        if wanted is not None:
            yield (inside, value) if start == wanted else (wanted, None)
        wanted = token.end() if token["rules"] is not None else None
    if wanted is not None:
        yield wanted, None


def _heredoc_end(source: Source, token: re.Match[str]) -> tuple[int, int]:
    """(where the text ends, where its last line ends) of a heredoc that opens at a token."""
    last = re.compile(rf"^[ \t]*{re.escape(token['heredoc'])}[ \t]*\r?$", re.MULTILINE)
    found = last.search(source.text, token.end())
    if found is None:
        message = f"the heredoc {token['heredoc'][:40]} does not end"
        raise RulesError(_finding(source, token.start(), message, None))
    return found.start(), found.end()


def _on_one_line(text: str) -> str:
    """A quoted text, as long as it stands there: blanks for escaped blanks and for comments."""
    lines = (_ESCAPED_BLANK.sub("  ", line) for line in text.split("\\n"))
    return "  ".join(_COMMENT.sub(lambda found: " " * len(found[0]), line) for line in lines)


def _expression(source: Source, start: int) -> Diagnostic:
    end = source.text.find("\n", start)
    file = _FILE.match(source.text[start : end if end >= 0 else None])
    help = _STATE if file is None else f"check what it reads: {file[1].rpartition('}/')[2][:200]}"
    return _finding(source, start, "`flow_rules` is an expression, not a text", help)


def _finding(source: Source, start: int | None, message: str, help: str | None) -> Diagnostic:
    span = None if start is None else Lines(source.text).span(start, start + 2)
    return Diagnostic("ZT062", message, span=span, source=source, help=help)


# --- state ---------------------------------------------------------------------------------


def resources(state: Mapping[str, Json], kind: str) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    """(path, values) of every managed resource of a type, in `show -json` or a `.tfstate`."""
    for key in ("values", "planned_values"):
        tree = state.get(key)
        root = tree.get("root_module") if isinstance(tree, dict) else None
        if isinstance(root, dict):
            yield from _of_module((key, "root_module"), root, kind)
            return
    for path, resource in _of_kind(("resources",), state.get("resources"), kind):
        instances = resource.get("instances")
        for index, instance in enumerate(instances if isinstance(instances, list) else []):
            if isinstance(instance, dict):
                yield (*path, "instances", index, "attributes"), instance.get("attributes")


def _of_module(
    path: tuple[str | int, ...], module: Mapping[str, Json], kind: str
) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    waiting = [(path, module)]
    while waiting:
        path, module = waiting.pop()
        for place, resource in _of_kind((*path, "resources"), module.get("resources"), kind):
            yield (*place, "values"), resource.get("values")
        children = module.get("child_modules")
        for index, child in enumerate(children if isinstance(children, list) else []):
            if isinstance(child, dict):
                waiting.append(((*path, "child_modules", index), child))


def _of_kind(
    path: tuple[str | int, ...], items: Json, kind: str
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Json]]]:
    for index, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict) and item.get("type") == kind and item.get("mode") != "data":
            yield (*path, index), item


def state_rules(state: Mapping[str, Json], name: str) -> Source:
    """The rules text of the one network with rules in a state; raises RulesError."""
    texts: list[str] = []
    for _, values in resources(state, "zerotier_network"):
        text = values.get("flow_rules") if isinstance(values, dict) else None
        if isinstance(text, str) and not is_blank(text):
            texts.append(text)
    if len(texts) != 1:
        found = "no network with `flow_rules`" if not texts else f"{len(texts)} networks with rules"
        raise RulesError(
            Diagnostic(
                "ZT062",
                f"Terraform's state has {found}",
                path=name,
                help="give the rules text of one network",
            )
        )
    return Source(f"{name}:flow_rules", texts[0])
