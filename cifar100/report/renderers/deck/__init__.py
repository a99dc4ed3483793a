"""The slides of a document as one .pptx file with native tables, text that can be edited, and the report's figures."""
