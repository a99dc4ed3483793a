"""The report's figures, drawn by matplotlib without a display or global state; each function returns a Figure."""
