"""The kernel: folds events into a call's authority state, decides, mints grants and asks for timers.

Pure and total: `step(release, state, event)` reads no clock, does no I/O and never raises.
"""
