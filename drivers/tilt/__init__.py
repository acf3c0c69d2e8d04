"""Inclinometers that answer 0x68 (RION style) or 0x77 (BWSensing style) frames. Pure."""
