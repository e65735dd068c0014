"""The explorer (试算台): a scenario in the hand, redrawn at every move."""
