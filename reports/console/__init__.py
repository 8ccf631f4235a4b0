"""The officer's web console: what a browser sees of the plant, and what may be done from there."""
