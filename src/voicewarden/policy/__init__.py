"""The policy room: rules as typed data, a reference interpreter, generated code, and their explanation in English.

Pure: a policy is data, deciding is a function of it.
"""
