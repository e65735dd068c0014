"""What is not known for certain: ranges of weights, robust quotas, a look back on observed tables."""
