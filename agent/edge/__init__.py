"""The gateway process: poll, judge, sum minutes, keep batches, publish until receipted."""
