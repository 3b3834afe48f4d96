"""The rules language: text and JSON in, policies out; checking and layout.

Contract: `compile_text` equals the official compiler (docs/spec/rules-language.md); `load` and
`load_json` take every form in which the ecosystem keeps rules.  Tested by tests/lang.
"""

from ztfast.lang.compiler import compile_text
from ztfast.lang.controller import load, load_json, read_json
from ztfast.lang.printer import print_policy

__all__ = ["compile_text", "load", "load_json", "print_policy", "read_json"]
