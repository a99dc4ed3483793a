"""Networks composed from primitives: one folder per port, one primitive per file, feature maps in NCHW."""
