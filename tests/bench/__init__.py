"""Benchmarks against known yardsticks: ``python -m tests.bench`` (see ``--help``)."""
