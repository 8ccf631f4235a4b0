"""A report on paper and in a spreadsheet, from its JSON and nothing else."""
