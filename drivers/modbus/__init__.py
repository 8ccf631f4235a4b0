"""Modbus TCP, RTU over TCP and serial RTU: read only, every reply judged."""
