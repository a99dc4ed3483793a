"""Published facts of the data sets, against which every source is verified."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spec:
    """Facts of one data set.

    per_class: images per class of each split, one number or one per class. class_names is empty if only the source
    knows them (num_classes then says how many). mean and std are of the training split, per channel, in 0..1; a
    source may differ by `tolerance` (rounding of the published figures; more where JPEG decoders differ).
    fingerprint: of the original images, where it is known.
    """

    name: str
    num_classes: int
    in_channels: int
    resolution: int
    per_class: dict[str, int | tuple[int, ...]]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    tolerance: float
    class_names: tuple[str, ...] = ()
    superclass_names: tuple[str, ...] = ()
    superclass_of: tuple[int, ...] = ()
    fingerprint: str = ""

    def counts(self, split: str) -> tuple[int, ...]:
        """Images of each class."""
        counts = self.per_class[split]
        return (counts,) * self.num_classes if isinstance(counts, int) else counts

    def count(self, split: str) -> int:
        return sum(self.counts(split))


_CIFAR100_TREE = """
aquatic_mammals: beaver dolphin otter seal whale
fish: aquarium_fish flatfish ray shark trout
flowers: orchid poppy rose sunflower tulip
food_containers: bottle bowl can cup plate
fruit_and_vegetables: apple mushroom orange pear sweet_pepper
household_electrical_devices: clock keyboard lamp telephone television
household_furniture: bed chair couch table wardrobe
insects: bee beetle butterfly caterpillar cockroach
large_carnivores: bear leopard lion tiger wolf
large_man-made_outdoor_things: bridge castle house road skyscraper
large_natural_outdoor_scenes: cloud forest mountain plain sea
large_omnivores_and_herbivores: camel cattle chimpanzee elephant kangaroo
medium_mammals: fox porcupine possum raccoon skunk
non-insect_invertebrates: crab lobster snail spider worm
people: baby boy girl man woman
reptiles: crocodile dinosaur lizard snake turtle
small_mammals: hamster mouse rabbit shrew squirrel
trees: maple_tree oak_tree palm_tree pine_tree willow_tree
vehicles_1: bicycle bus motorcycle pickup_truck train
vehicles_2: lawn_mower rocket streetcar tank tractor
"""
_TREE = dict(line.split(": ") for line in _CIFAR100_TREE.strip().splitlines())
_SUPERCLASS = {name: index for index, names in enumerate(_TREE.values()) for name in names.split()}

# Classes of CIFAR-100 and its superclasses are numbered in alphabetical order.
CIFAR100 = Spec(
    name="cifar100",
    num_classes=100,
    in_channels=3,
    resolution=32,
    per_class={"train": 500, "test": 100},
    mean=(0.5071, 0.4865, 0.4409),
    std=(0.2673, 0.2564, 0.2762),
    tolerance=2e-4,
    class_names=tuple(sorted(_SUPERCLASS)),
    superclass_names=tuple(_TREE),
    superclass_of=tuple(_SUPERCLASS[name] for name in sorted(_SUPERCLASS)),
    fingerprint="7dd067b4db6ec1d846a63c4401c18d48a0aba3b35e737047a3cf81cdeff60da3",
)

CIFAR10 = Spec(
    name="cifar10",
    num_classes=10,
    in_channels=3,
    resolution=32,
    per_class={"train": 5000, "test": 1000},
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
    tolerance=2e-4,
    class_names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
)

# Split and scaled as digits.read_digits says; no published figures, these were computed once from scikit-learn 1.9.
DIGITS = Spec(
    name="digits",
    num_classes=10,
    in_channels=1,
    resolution=8,
    per_class={
        "train": (142, 145, 142, 146, 145, 146, 145, 143, 139, 144),
        "test": (36, 37, 35, 37, 36, 36, 36, 36, 35, 36),
    },
    mean=(0.3062,),
    std=(0.3763,),
    tolerance=1e-4,
    class_names=tuple(str(digit) for digit in range(10)),
)

# The test split is the official validation part. Published figures of the training images decoded from JPEG.
TINY_IMAGENET = Spec(
    name="tiny_imagenet",
    num_classes=200,
    in_channels=3,
    resolution=64,
    per_class={"train": 500, "test": 50},
    mean=(0.4802, 0.4481, 0.3975),
    std=(0.2770, 0.2691, 0.2821),
    tolerance=2e-3,
)
