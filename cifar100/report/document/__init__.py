"""The report as a tree of sections, in words of one language."""
