# Two images from one file: the container packaging of every step, and the same with what the serving steps need besides.
#   make image IMAGE=REGISTRY/roadsafety-components:VERSION
#   docker run REGISTRY/roadsafety-components:VERSION step --help
# They hold an interpreter, the packages and the project: no shell, no package manager. docs/images.md tells the rest.
ARG BASE_IMAGE=python:3.11-slim

FROM ${BASE_IMAGE} AS tools
RUN apt-get update -qq && apt-get install -qq --yes --no-install-recommends binutils >/dev/null
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONHASHSEED=0
COPY requirements/build.txt /build/requirements/
RUN python -m venv /tools \
    && /tools/bin/pip install --quiet --require-hashes --no-deps --requirement /build/requirements/build.txt

# Third-party packages first: they change seldom, and this layer is then kept.
FROM tools AS packages
COPY requirements/image.txt /build/requirements/
RUN "$(readlink -f "$(command -v python)")" -m venv --without-pip /venv \
    && /tools/bin/pip --python /venv/bin/python install --quiet --no-compile --require-hashes --no-deps \
        --requirement /build/requirements/image.txt

FROM packages AS build
# The same inputs give the same layers: this is the time of every file.
ARG SOURCE_DATE_EPOCH=315532800
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH}
COPY pyproject.toml README.md LICENSE /build/
COPY src /build/src
COPY component_specs /build/component_specs
COPY image /build/image
RUN cd /build && /tools/bin/python -m hatchling build --target wheel \
    && /tools/bin/pip --python /venv/bin/python install --quiet --no-compile --no-deps --no-index dist/*.whl
COPY requirements /build/requirements
RUN /build/image/assemble.sh

FROM scratch AS image
ARG VERSION=unknown
ARG REVISION=
LABEL org.opencontainers.image.title="roadsafety-components" \
      org.opencontainers.image.description="Kubeflow Pipelines v2 components for road-safety machine learning" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/system /
COPY --from=build /image/packages /
COPY --from=build /image/project /
# Any user id may run it, as clusters with arbitrary ids do; caches of libraries go where any id may write.
ENV PATH=/venv/bin:/usr/bin LANG=C.UTF-8 HOME=/tmp MPLCONFIGDIR=/tmp _KFP_RUNTIME=true PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["roadsafety"]
CMD ["--help"]

FROM build AS serving-build
RUN /tools/bin/pip --python /venv/bin/python install --quiet --no-compile --require-hashes --no-deps \
        --requirement /build/requirements/serving.txt
RUN /build/image/assemble.sh serving

FROM image AS serving
COPY --from=serving-build /image/serving /

# Without --target: the image.
FROM image
