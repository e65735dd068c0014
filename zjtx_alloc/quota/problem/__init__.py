"""The problem in integers: criteria, rules, limits."""
