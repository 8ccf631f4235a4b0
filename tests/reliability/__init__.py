"""Faults made on purpose, and what was lost: the cases behind docs/reliability.md."""
