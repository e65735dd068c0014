"""What public material says of the factors, and how it is brought to one date."""
