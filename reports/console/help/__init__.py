"""Texts for people who are new here: one file for each page and language."""
