"""Explanations: why one frame gets its verdict, entry by entry, on both sides."""
