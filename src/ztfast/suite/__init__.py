"""Test suites for a policy: files of named cases, running them, coverage, reports."""
