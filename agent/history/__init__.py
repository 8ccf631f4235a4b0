"""Recorded history: read, checked, turned into windows and sent as a gateway of its own."""
