"""The live tap: frames of an interface judged as they pass, and sent on to who is to see them."""
