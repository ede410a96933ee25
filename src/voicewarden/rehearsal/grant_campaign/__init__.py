"""A campaign against grants: everything that must not be spent is tried, and everything that may be has to work."""
