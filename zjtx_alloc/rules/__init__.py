"""Rules: scenarios, the award, composites' forms; what a user's table and a scenario say together."""
