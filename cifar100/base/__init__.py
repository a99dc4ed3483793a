"""The ground floor: errors, text, files and plain trees that every other package builds on. Imports none of them."""
