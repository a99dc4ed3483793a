"""python -m cifar100.hub push ...: the same as python -m cifar100 hub push ..."""

import sys

from cifar100.__main__ import main

if __name__ == "__main__":
    main(["hub", *sys.argv[1:]])
