"""What an editor asks of a rules text: findings, meanings, names, what may stand here.

Contract: everything but `server` is a pure function of a `Document` and an offset, and needs no
further library; `server` speaks the Language Server Protocol about them (pygls).
Tested by tests/lsp.
"""
