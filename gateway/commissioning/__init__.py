"""What the tools of an installer share: `scan`, `sniff`, `read` and `setup` are thin over this."""
