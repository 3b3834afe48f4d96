"""Values: the rules of a policy as JSON and as engine entries, and the one table of their types."""
