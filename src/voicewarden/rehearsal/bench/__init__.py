"""What decisions, steps and grants cost on this machine, beside other policy engines on the same policy.
"""
