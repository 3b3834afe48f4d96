"""The one table of diagnostic codes: what each means, why it matters, an example.

Contract: a code never changes its meaning; `ztfast explain-code` and docs/codes.md are
made from here.  ZT0xx are errors in rules, ZT1xx warnings about rules, ZT2xx findings of
the analysis, ZT4xx to ZT6xx belong to evaluation, captures, networks and output.
Tested by tests/diagnostics/test_codes.py: each example gives its code.
"""

from __future__ import annotations

import re
from textwrap import wrap

from ztfast.diagnostics.code import Code
from ztfast.diagnostics.codes_lint import WARNINGS
from ztfast.diagnostics.codes_live import LIVE
from ztfast.diagnostics.codes_proof import ANALYSIS
from ztfast.diagnostics.codes_rules import ERRORS
from ztfast.diagnostics.codes_runtime import OTHERS

EVERY: tuple[Code, ...] = (*ERRORS, *WARNINGS, *ANALYSIS, *OTHERS, *LIVE)
CODES: dict[str, Code] = {code.code: code for code in sorted(EVERY)}


def explain(code: Code) -> str:
    """A code as text for a person."""
    lines = [f"{code.code}: {code.title}", "", *wrap(code.text, 88, break_long_words=False)]
    if code.example is not None:
        lines += ["", "Example:", "", *(f"    {line}" for line in code.example.splitlines())]
    return "\n".join(lines) + "\n"


def markdown() -> str:
    """The whole table as docs/codes.md."""
    parts = [_HEAD]
    for code in CODES.values():
        part = f"## {code.code}: {code.title}\n\n{_wrapped(code.text)}\n"
        if code.example is not None:
            part += f"\n```\n{code.example.rstrip()}\n```\n"
        parts.append(part)
    return "\n".join(parts)


def _wrapped(text: str) -> str:
    """Lines of a page; what stands in backticks is not broken."""
    whole = re.sub(r"`[^`]*`", lambda span: span[0].replace(" ", "\0"), text)
    lines = wrap(whole, 100, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


_HEAD = """\
# Codes

What the codes of ztfast's findings mean. This page is made from `ztfast.diagnostics.codes`
(`python -m ztfast.diagnostics.codes > docs/codes.md`); `ztfast explain-code ZT101` prints one
entry.

`ZT0xx` are errors in rules, `ZT1xx` warnings about rules (a comment `# ztfast: ignore ZT101` on the
line silences one, `# ztfast: ignore-file ZT101` anywhere does so for the whole text), `ZT2xx`
findings of the analysis; `ZT4xx` to `ZT6xx` belong to evaluation, captures and networks, output.
"""


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
