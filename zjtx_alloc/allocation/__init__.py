"""Facts and rules come together: entitlements, quotas, explanations, plans."""
