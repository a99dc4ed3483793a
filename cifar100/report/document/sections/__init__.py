"""The report's sections in groups of a file each: what is said, as a tree that any renderer prints."""
