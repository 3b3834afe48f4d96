"""`ztfast lsp`: the language server that editors start."""

from __future__ import annotations

import click


@click.command()
@click.option("--stdio", is_flag=True, help="Speak on standard input and output (as it does).")
def command(stdio: bool) -> None:
    """Answer an editor on standard input and output (Language Server Protocol).

    Findings as `ztfast check` has them, fixes, meanings, completion, names, layout; needs the
    extra `lsp`. Editors start it: docs/editors.md has their settings.

    \b
    Example: ztfast lsp
    """
    from importlib.util import find_spec

    from ztfast.errors import usage

    if find_spec("pygls") is None:
        raise usage("`ztfast lsp` needs pygls, which is not installed", "pip install ztfast[lsp]")
    from ztfast.lsp.server import serve

    serve()
