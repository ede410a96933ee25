"""The vocabulary that every room shares: events in, decisions and grants and directives out, records of all of it.

Data only: nothing here decides, waits, reads a clock or touches the world.
"""
