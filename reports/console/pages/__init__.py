"""One module for each page: routes that render templates."""
