"""Sentences under tables: marks, and what is the user's own."""
