"""When it is an alarm. Pure: no I/O, time is an argument."""
