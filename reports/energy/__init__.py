"""The energy report: where the kilowatt-hours go, what they cost, what is recovered."""
