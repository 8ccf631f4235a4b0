"""Performance grading: indicator tables as data, the proof of each indicator, the grade, alerts."""
