"""Stack emissions: hours from minutes, exceedances, totals with substitution, the report."""
