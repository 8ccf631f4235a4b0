"""The data quality control plan: as data, in force, kept or not; and its report."""
