"""Certificates of this gateway or historian: made, shown, renewed, watched."""
