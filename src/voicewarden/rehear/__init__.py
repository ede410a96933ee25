"""Recordings of calls made anywhere, heard by our sensors and taken through our step. Never acts."""
