"""The instruction table: encoding a view, optimising, verifying, listing and saving it."""
