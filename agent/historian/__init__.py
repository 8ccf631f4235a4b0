"""The historian process: receive, keep the originals, receipt, feed the views."""
