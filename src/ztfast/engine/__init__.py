"""The two evaluators, the choice between them, and their verdicts."""
