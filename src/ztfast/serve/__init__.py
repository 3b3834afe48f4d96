"""`ztfast serve`: a page to write, explain and test rules in, served to this machine's browser.

Contract: `server` binds and ends, `app` routes, `guard` lets only the page's own session in; a file
`ask_…` answers one kind of question, and knows nothing of HTTP.  The page's sources are in `web/`,
what is built of them in `static/`.
"""
