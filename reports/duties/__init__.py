"""What must be handed in by when."""
