"""What people entered: the ledger, its kinds, tables into it, and a month's figure out of it."""
