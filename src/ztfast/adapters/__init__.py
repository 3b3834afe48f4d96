"""Thin bridges to other libraries: their packets in, verdict columns out.

Contract: each module here stands alone and imports its library where it is used, so that
none is needed by the rest; docs/adapters.md shows them.  Tested by tests/adapters against the
real libraries.
"""
