"""One problem under many entitlements."""
