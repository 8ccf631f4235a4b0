"""From samples to minutes: what is good, what a counter did, what a minute was."""
