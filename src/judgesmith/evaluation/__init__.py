"""Judges against labels, and against each other: verdicts in, results out.

The evaluate stage brings a run's own judges, `evaluate` and `compare` bring judgments of files;
both are measured here, by the same code.
"""
