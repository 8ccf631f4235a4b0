"""From a figure of a report back to the registers it came from."""
