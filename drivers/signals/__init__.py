"""What a pot's signals mean: anode effects, resistance, noise, feeding, early warning."""
