"""WitMotion inclinometers on a raw serial line: the native 0x55 stream. Pure."""
