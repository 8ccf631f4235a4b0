"""What pages and API say, as plain data; runs in a child of the console, beside the data."""
