"""Who comes in: users, sessions, tokens, roles, the second factor of a form."""
