"""Carbon reports, one file each, and the methods they share."""
