"""Losses: modules called as (logits (n, classes), targets (n,) as class indices or (n, classes) as shares)."""
