"""The only reader of time series, and what a counter counted."""
