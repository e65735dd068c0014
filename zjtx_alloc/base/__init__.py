"""What everything stands on: files, texts, messages, units; nothing of quotas or money."""
