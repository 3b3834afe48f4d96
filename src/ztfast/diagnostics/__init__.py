"""Diagnostics: the table of codes, and how findings are shown to people and to other programs."""
