"""The report's tables, which every renderer prints from the same cells."""
