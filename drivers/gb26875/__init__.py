"""GB/T 26875.3-2011 fire alarm transmission: frames, application data, code tables. Pure."""
