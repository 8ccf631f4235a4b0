"""Notices by webhook and e-mail: of duties, exceedances, lost devices, certificates, backups."""
