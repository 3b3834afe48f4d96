"""`ztfast compile`: rules text to the controller's JSON, or JSON back to text."""

from __future__ import annotations

import click


@click.command()
@click.argument("rules", metavar="RULES")
@click.option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")
@click.option(
    "--decompile", is_flag=True, help="Print rules text that compiles to the same JSON instead."
)
def command(rules: str, output: str | None, decompile: bool) -> None:
    """Compile RULES to the JSON that the official compiler gives.

    RULES is a rules text or rules JSON (compiler output, a controller's or Central's network), told
    apart by content; `-` is standard input, `git:REVISION:PATH` a file as it was committed. If the
    rules are refused, the errors are on standard error and the exit status is 1.

    \b
    Example: ztfast compile rules.ztrules -o rules.json
    """
    import json

    from ztfast.cli.inputs import read_policy
    from ztfast.lang import print_policy
    from ztfast.sinks.text import write_text

    policy = read_policy(rules)
    if decompile:
        write_text(output, print_policy(policy), [rules])
    else:
        write_text(output, json.dumps(policy.to_json(), indent=2) + "\n", [rules])
