"""What belongs to an installation: for backup, restore and the data catalogue."""
