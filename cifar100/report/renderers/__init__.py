"""The document as files: HTML, Markdown, PDF, slides; tables as CSV and LaTeX."""
