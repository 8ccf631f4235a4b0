"""InfluxDB line protocol both ways: frames, windows and events to lines, lines to columns."""
