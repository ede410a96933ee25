"""The configuration room: YAML files and the environment come in, a `Release` and `Settings` go out.

Everything is strict: an unknown key, a duplicate, a wrong type or a missing reason is an error that names the file, the
line, the field, what was found and what is accepted.
"""
