"""The oracle: devices that know what they served, a ledger of promises, a judge; own code."""
