"""Money: what an allocation commits, and when it is due."""
