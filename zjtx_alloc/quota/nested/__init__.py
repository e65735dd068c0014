"""Nested rules: the exact greedy engine and its proofs."""
