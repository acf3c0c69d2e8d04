"""DNY (AP3000) charging boards: frames. Pure."""
