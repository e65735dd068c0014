"""Formats: pages, workbooks, documents, fonts."""
