"""Pictures of a report: made from its figures (reports/pictures.py) and drawn as SVG."""
