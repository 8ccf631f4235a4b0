"""What the gateway makes of heat-exchanger readings: heat, UA, fouling and its alarms."""
