"""The run as a library: judging captures, counting, splitting, writing."""
