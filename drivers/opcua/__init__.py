"""OPC UA: polls and subscriptions, pinned certificates, browsing; read only."""
