"""The embedded view: Parquet by table, plant and day, written exactly once."""
