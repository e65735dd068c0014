"""Cohorts of firms, their settlement, and the ledger by fiscal year."""
