"""How to ask a device, and the words shared by all rooms of the house."""
