"""The edge process (poll, quality, windows, batch log, publish) and the historian."""
