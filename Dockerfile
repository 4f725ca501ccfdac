# The page and the commands, with the embedded model inside.
#
#   docker build --tag wbc_tf .
#   docker build --tag wbc_tf:gpu --build-arg GPU=1 .
#   docker run --rm --user="$(id -u):$(id -g)" --volume "$PWD:/data" wbc_tf \
#       wbc-cartoonize --input=/data/photos --output=/data/cartoons
#
# All versions come from requirements.lock. docker-compose.yml runs the page.
FROM python:3.11-slim-bookworm

ARG GPU=
WORKDIR /opt/wbc_tf
COPY requirements.lock setup.py README.md LICENSE ./
COPY pretrained_models/white_box pretrained_models/white_box
COPY wbc_tf wbc_tf
# The lock file is for the CPU. With GPU=1 the NVIDIA libraries come on top, in the versions that
# TensorFlow itself names.
RUN pip install --no-cache-dir --constraint requirements.lock ".[app,video${GPU:+,gpu}]" \
    && useradd --create-home --uid 1000 cartoonist

USER 1000:1000
WORKDIR /home/cartoonist
# Uploads and results: the only place that the page writes to.
ENV TMPDIR=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/', timeout=9)"]
# --public: whoever reaches the container's port may use the page. docker-compose.yml publishes the
# port on this machine only.
CMD ["wbc-app", "--host=0.0.0.0", "--public"]
