"""How to talk to devices. No policy, no wall clock."""
