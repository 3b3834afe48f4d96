"""YAML as plain values: dicts with text keys, lists, scalars.

Contract: nothing is executed or constructed beyond texts, numbers, truth values and null;
aliases, which could make a small file huge, keys given twice and keys that are no text are
refused with line and column.  Needs pyyaml (extra `yaml`).
Tested by tests/suite/test_file.py.
"""

from __future__ import annotations

from typing import Any

from ztfast.errors import Diagnostic, Source, Span, ZtfastError
from ztfast.network.documents import decode

MAX_YAML = 1 << 24
_TEXT = "tag:yaml.org,2002:str"
_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null"))
_LONGEST_NUMBER = 1000


class YamlError(ZtfastError, ValueError):
    """YAML that is not read."""


def parse_yaml(data: bytes, name: str) -> Any:
    """The value of a YAML document ({} for an empty one)."""
    yaml = _module(name)
    if len(data) > MAX_YAML:
        raise YamlError(Diagnostic("ZT440", f"is larger than {MAX_YAML} bytes", path=name))
    text = decode(data, name)
    try:
        return _plain(yaml, yaml.compose(text, Loader=_loader(yaml)))
    except yaml.MarkedYAMLError as error:
        raise YamlError(_diagnostic(error, Source(name, text))) from None
    except yaml.YAMLError as error:
        raise YamlError(Diagnostic("ZT440", f"is not YAML: {error!s:.100}", path=name)) from None
    except RecursionError:
        raise YamlError(Diagnostic("ZT440", "YAML nested too deep", path=name)) from None


def _module(name: str) -> Any:
    try:
        import yaml  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        help = "pip install 'ztfast[yaml]', or write TOML"
        text = "YAML needs the package pyyaml"
        raise YamlError(Diagnostic("ZT440", text, path=name, help=help)) from None
    return yaml


def _diagnostic(error: Any, source: Source) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    what = f"is not YAML: {error.problem or error.context}"
    if mark is None:
        return Diagnostic("ZT440", what, path=source.name)
    span = Span(mark.index, mark.index + 1, mark.line + 1, mark.column)
    return Diagnostic("ZT440", what, span=span, source=source)


def _loader(yaml: Any) -> Any:
    """The safe loader without aliases."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc,unused-ignore]
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark
                raise yaml.MarkedYAMLError(problem="aliases are not read", problem_mark=mark)
            return yaml.SafeLoader.compose_node(self, parent, index)

    return Loader


def _plain(yaml: Any, node: Any) -> Any:
    if node is None:
        return {}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(yaml, item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return _mapping(yaml, node)
    try:
        return _scalar(yaml, node)
    except (ValueError, TypeError) as error:
        problem = f"{error!s:.60}"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None


def _mapping(yaml: Any, node: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            problem = "a key that is not text"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
        if key.value in found:
            problem = f"the key {key.value!r:.40} is given twice"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
        found[key.value] = _plain(yaml, value)
    return found


def _scalar(yaml: Any, node: Any) -> Any:
    if node.tag not in _TAGS:
        return node.value  # dates and the like stay text
    if node.tag != _TEXT and len(node.value) > _LONGEST_NUMBER:
        raise ValueError("a number of too many digits")
    return yaml.SafeLoader("").construct_object(node)
