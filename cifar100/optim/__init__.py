"""Optimizers and learning rate schedules.

An optimizer factory is called as (model), a schedule factory as (optimizer, num_training_steps, steps_per_epoch); a
schedule is stepped once per optimizer step.
"""
