"""Readers of file formats: each gives a raw.RawData, trusts nothing in the file, and runs no code from it."""
