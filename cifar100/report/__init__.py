"""Tables, statistics, figures, HTML and slides, from run directories only."""
