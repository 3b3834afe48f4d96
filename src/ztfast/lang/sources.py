"""Files of rules: read, decoded, and what of them is a rules text.

Contract: `read_source` gives a text or a RulesError; `is_json` tells JSON from the rest;
`rules_texts` gives the rules texts of the rest, of a `.tf` each `flow_rules`.
Tested by tests/lang/test_controller.py, test_controller_shapes.py and test_terraform.py.
"""

from __future__ import annotations

import os
import re

from ztfast.errors import Diagnostic, RulesError, Source
from ztfast.lang.files import Unreadable, Why, network_file, read_file
from ztfast.lang.terraform import flow_rules, is_terraform
from ztfast.lang.tokens import is_blank

# Rules of a megabyte are absurd already; a device or a wrong file must not fill the memory.
MAX_BYTES = 128 << 20

_UNREADABLE = {Why.MISSING: "ZT051", Why.TOO_LARGE: "ZT044", Why.OTHER_FOLDER: "ZT053"}
_TOML = re.compile(r"(?:#.*\n|\s)*(?:\[\[?[\w.]+\]\]?\s*$|[\w-]+ *= *[\"'\[{\w])", re.MULTILINE)
_RULES_OF = re.compile(r"^rules *= *[\"'](.+)[\"']", re.MULTILINE)
_HTML = re.compile(r"\s*<(?:!doctype|html)\b", re.IGNORECASE)


def is_json(text: str) -> bool:
    """True where a text is read as JSON: its first character is `{` or `[`."""
    return text[:4096].lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def read_source(path: str | os.PathLike[str]) -> Source:
    """The text of a file (`-`: standard input; a controller's folder: its one network's file).

    Raises RulesError.
    """
    name = os.fspath(path)
    try:
        name = network_file(name)
        data = read_file(name, MAX_BYTES)
    except Unreadable as error:
        where = "<stdin>" if error.path == "-" else error.path
        message = error.message + (", not rules" if error.why is Why.OTHER_FOLDER else "")
        raise RulesError(
            Diagnostic(_UNREADABLE[error.why], message, path=where, help=error.help)
        ) from None
    shown = "<stdin>" if name == "-" else name
    return Source(shown, decode(data, shown))


def decode(data: bytes, name: str) -> str:
    """The text of UTF-8 bytes; raises RulesError."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RulesError(
            Diagnostic(
                "ZT050",
                f"not UTF-8: byte 0x{data[error.start]:02x}",
                path=name,
                offset=error.start,
                help="save the file as UTF-8; is it a rules file at all?",
            )
        ) from None


def rules_texts(source: Source) -> tuple[list[Source], list[Diagnostic]]:
    """The rules texts of a file that is no JSON: itself, or each `flow_rules` of a `.tf`.

    Beside them what is said of each `flow_rules` that is no text.  Raises RulesError where
    the file is of another kind.
    """
    if is_terraform(source.name):
        return flow_rules(source)
    if source.name.lower().endswith(".json") and is_blank(source.text):
        help = "did the request for it fail? rules without an entry discard every frame"
        raise RulesError(
            Diagnostic("ZT053", "an empty file, not JSON", path=source.name, help=help)
        )
    if _HTML.match(source.text):
        help = "is it the answer of a web server? check the address that it came from"
        raise RulesError(
            Diagnostic("ZT053", "an HTML page, not rules", path=source.name, help=help)
        )
    if _TOML.match(source.text):
        raise RulesError(
            Diagnostic("ZT053", "TOML, not rules", path=source.name, help=_toml_help(source.text))
        )
    return [source], []


def _toml_help(text: str) -> str:
    """What a file in TOML is for."""
    if "[[case]]" in text:
        return "test cases: ztfast test RULES FILE"
    named = _RULES_OF.search(text)
    own = f"; it names its rules: {named[1]}" if named else ""
    return f"a network's members are given as --network FILE{own}"
