"""Runs, rows and studies, read from run directories as data of unknown origin."""
