"""Evidence packages: a report with everything that proves it, in one signed file."""
