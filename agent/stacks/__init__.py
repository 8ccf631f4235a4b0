"""What the gateway makes of stack readings: dry and converted minutes, the hour, its warning."""
