"""`ztfast explain-code`: what the code of a finding means."""

from __future__ import annotations

import click


@click.command()
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print the entries as a JSON list.")
def command(codes: tuple[str, ...], as_json: bool) -> None:
    """Say what a finding's CODE means, with an example; without a code, list them all.

    \b
    Example: ztfast explain-code ZT101
    """
    import json

    from ztfast.diagnostics.codes import CODES, explain
    from ztfast.errors import usage
    from ztfast.sinks.text import write_text

    wanted = [code.upper() for code in codes]
    for code in wanted:
        if code not in CODES:
            raise usage(f"there is no code {code[:40]!r}", "`ztfast explain-code` lists all codes")
    if as_json:
        chosen = [CODES[code]._asdict() for code in wanted or CODES]
        write_text(None, json.dumps(chosen, indent=2) + "\n")
    elif wanted:
        write_text(None, "\n".join(explain(CODES[code]) for code in wanted))
    else:
        write_text(None, "".join(f"{code.code}  {code.title}\n" for code in CODES.values()))
