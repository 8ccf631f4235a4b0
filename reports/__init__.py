"""Series, entries, rules and formulas, and the reports made of them."""
