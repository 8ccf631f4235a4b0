"""What the doctor looks at on a gateway and a historian."""
