"""What may pass between a shell and a screen: sanitised, redacted, or as plain text."""
