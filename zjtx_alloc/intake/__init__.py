"""What users hand in: Excel and CSV tables of every quality, read or refused with every problem named."""
