"""DC589 charging boards: frames and their fields. Pure."""
