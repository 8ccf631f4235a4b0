"""Fonts that reports carry, so that Chinese looks the same everywhere."""
