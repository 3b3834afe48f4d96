"""Frames: batches of headers in a buffer, their columns, link types, and building frames."""
