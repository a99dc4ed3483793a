"""A tour of the laboratory from Python, on the digits that ship inside scikit-learn: python docs/tour.py

No download, a minute on a laptop. Runs go to multirun/tour; as a notebook: jupytext --to ipynb docs/tour.py
"""

# %% Every network is a composition of primitives; an override swaps one.
import cifar100

small = ["data=digits", "model.depths=[1,1,1]", "study=tour"]
config = cifar100.compose([*small, "attention=eca"])
print(config.model.depths, config.attention)

network = cifar100.build([*small, "attention=eca"])
print(f"{sum(each.numel() for each in network.parameters()):,} parameters")

# %% Training returns the run's folder. The same call again finds it finished; an interrupted one it continues.
found = {}
for attention in ("none", "eca"):
    run = cifar100.train([*small, f"attention={attention}", "trainer.num_train_epochs=5"], quiet=True)
    found[attention] = cifar100.evaluate(run, latency=False)
    print(attention, f"{found[attention]['test/top1']:.1%} of the test images")

# %% All runs of a study, for pandas.DataFrame(...)
for row in cifar100.runs("multirun/tour", sort="-val/top1"):
    print(row["state"], row["val/top1"], row["test/top1"], row["parameters"])

# %% A trained network knows its classes and its normalisation, and takes pictures as they are.
import numpy as np  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402

classifier = cifar100.load(run)
pictures = [np.uint8(scan * (255 / 16)) for scan in load_digits().images[:3]]
for name, guesses in cifar100.predict(classifier, pictures, top=2).items():
    print(name, ", ".join(f"{guess.name} {guess.probability:.0%}" for guess in guesses))

# %% A mistake is one error, in one line that names the cure.
try:
    cifar100.build("attention=ecaa")
except cifar100.UserError as error:
    print(error)
