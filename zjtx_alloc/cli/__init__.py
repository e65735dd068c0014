"""The zjtx command."""
