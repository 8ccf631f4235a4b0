"""What people note down beside the data: marks, checks, exceedances, alerts, declarations."""
