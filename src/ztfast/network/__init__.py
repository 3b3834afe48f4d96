"""Members, addresses, and who is who in a batch: what the rules ask beside the frame.

`reading.load_network` reads a description, `table.member_table` makes columns of it,
`resolve.resolve` finds each frame's sender and receiver, `view.make_view` is what one
direction evaluates.
"""
