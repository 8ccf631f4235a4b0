"""Allowances of the Chinese carbon market: what is due, had and left; the forecast of a year."""
