"""What the gateway makes of pot voltages: anode effects, derived minutes, warnings."""
