"""Recorded calls through the same step: exact replay, and reports for people. Never acts."""
