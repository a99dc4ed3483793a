"""The report's sections in groups of a file each, as a tree that any renderer prints."""
