"""The cross-check table a verifier works through."""
