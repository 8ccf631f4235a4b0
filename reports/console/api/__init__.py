"""One module for each resource of ``/api/v1``; the same figures as the pages."""
