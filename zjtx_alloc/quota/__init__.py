"""The quota engine: integer allocation under rules. It knows labels and numbers, no province, no policy."""
