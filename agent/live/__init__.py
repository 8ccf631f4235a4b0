"""Newest values of the plant for whoever looks: kept as bytes, read only when asked."""
