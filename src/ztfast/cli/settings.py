"""What the command line leaves out and the project's file sets.

Contract: `Settings.defaults` is a `default_map` of click: a value is asked for only where the
command line has none, and the first that is taken is said of on standard error, once, unless
--quiet.
Where rules may be left out, `rules_for` says whose count: those of a network that the command line
names, then the project's, then those of the project's network.
Tested by tests/cli/test_settings.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from ztfast.network.project import Project

_RULES_ALONE = ("check", "compile")  # the others take files of other kinds beside RULES
_WITHOUT = (
    "init",
    "fmt",
    "lsp",
    "explain-code",
    "fetch",
    "apply",
    "eval",
)  # nothing is set for them


class Settings:
    """The project's settings, read when first asked for; quiet: not a word of them."""

    def __init__(self, looks: bool = True) -> None:
        """looks: False: there are no settings, and no file is looked for."""
        self.quiet = False
        self._said = False
        self._network_taken = False
        self._read: tuple[Project | None] | None = None if looks else (None,)

    @property
    def project(self) -> Project | None:
        """What the file sets, or None."""
        if self._read is None:
            self._read = (_find(),)
        return self._read[0]

    def defaults(self, command: str) -> dict[str, Callable[[], Any]]:
        """What a command takes from it, by name of its parameters."""
        project = None if command in _WITHOUT else self.project
        if project is None:
            return {}
        found: dict[str, Callable[[], Any]] = {}
        for name in ("network", "engine", "fail_on"):
            if getattr(project, name) is not None:
                found[name] = self._taker(name)
        if project.rules is not None and command in _RULES_ALONE:
            rules = self._taker("rules")
            found["rules"] = (lambda: (rules(),)) if command == "check" else rules
        return found

    def rules_for(self, network_has_rules: bool) -> str | None:
        """The rules where none were named; None: the network's own."""
        if self.project is None or self.project.rules is None:
            return None
        if network_has_rules and not self._network_taken:
            return None
        return self._taker("rules")()

    def _taker(self, name: str) -> Callable[[], str]:
        def take() -> str:
            project = self.project
            assert project is not None
            if name == "network":
                self._network_taken = True
            if not self._said and not self.quiet:
                click.echo(f"ztfast: settings from {_shown(project.path)}", err=True)
            self._said = True
            value: str = getattr(project, name)
            return value

        return take


def _find() -> Project | None:
    from ztfast.network.project import project_for

    try:
        folder = os.getcwd()
    except OSError:  # it was removed
        return project_for(None)
    return project_for(folder)


def _shown(path: str) -> str:
    from ztfast.diagnostics.render import harmless

    near = os.path.relpath(path)
    return harmless(near if len(near) < len(path) else path)


def current(context: click.Context | None = None) -> Settings:
    """The settings of the command that runs; outside of one: none."""
    context = context or click.get_current_context(silent=True)
    found = None if context is None else context.find_root().obj
    return found if isinstance(found, Settings) else Settings(looks=False)


def from_settings(name: str) -> bool:
    """Is a parameter's value the project's, not the command line's?"""
    context = click.get_current_context(silent=True)
    if context is None:
        return False
    return context.get_parameter_source(name) is ParameterSource.DEFAULT_MAP
