"""The demo: eleven calls over a simulated line, with real speech in both directions and the real gate in between."""
