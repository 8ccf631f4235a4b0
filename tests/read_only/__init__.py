"""The proof that this program only reads: static scan, gates, counting (docs/read-only.md)."""
