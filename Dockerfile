# docker build -t cifar100-lab .
# docker run --rm -v "$PWD/multirun:/lab/multirun" cifar100-lab train data=digits trainer.num_train_epochs=10
# docker run --rm --gpus all --shm-size 1g -v "$PWD/multirun:/lab/multirun" cifar100-lab train trainer=fast
# PyPI's torch runs on CPUs and with CUDA. An image for CPUs alone is smaller by the options that pytorch.org
# gives for pip: --build-arg TORCH_OPTIONS="--index-url ..."
FROM python:3.12-slim

ARG TORCH_OPTIONS=""

# torch_compile needs a C++ compiler.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ git \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1000 lab && mkdir /lab && chown lab /lab
WORKDIR /lab

# hadolint ignore=DL3013,SC2086
RUN pip install --no-cache-dir ${TORCH_OPTIONS} torch torchvision
COPY --chown=lab pyproject.toml README.md LICENSE ./
COPY --chown=lab cifar100 cifar100
COPY --chown=lab hydra_plugins hydra_plugins
COPY --chown=lab conf conf
COPY --chown=lab train.py evaluate.py report.py ./
RUN pip install --no-cache-dir -e '.[test]'
COPY --chown=lab tests tests
COPY --chown=lab docs docs

USER 1000
ENTRYPOINT ["python", "-m", "cifar100"]
CMD ["--help"]
