"""Minute, hour and day data of a stack, sent on to a platform by HJ 212 until it acknowledges."""
