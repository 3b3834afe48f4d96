"""Diagnostics, figures, tables and progress as people and machines read them."""
