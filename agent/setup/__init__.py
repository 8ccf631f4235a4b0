"""First setting up of a gateway: profiles shown, devices probed, a config written."""
