# The image of the container packaging: every step behind one plain command, no pip at run time.
#   make image IMAGE=REGISTRY/roadsafety-components:VERSION
#   docker run REGISTRY/roadsafety-components:VERSION step --help
ARG BASE_IMAGE=python:3.11-slim

FROM ${BASE_IMAGE} AS build
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# Dependencies first: they change seldom, and this layer is then kept. A step needs of kfp only its runtime, which is
# plain Python without dependencies.
COPY constraints.txt /build/
RUN pip install --constraint /build/constraints.txt \
        httpx matplotlib pandas pandera pyarrow pyproj rich scikit-learn skops tenacity typer \
    && pip install --constraint /build/constraints.txt --no-deps kfp
COPY pyproject.toml README.md LICENSE /build/
COPY src /build/src
COPY component_specs /build/component_specs
RUN pip install --no-deps /build

FROM ${BASE_IMAGE}
ARG VERSION=unknown
LABEL org.opencontainers.image.title="roadsafety-components" \
      org.opencontainers.image.description="Kubeflow Pipelines v2 components for road-safety machine learning" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /venv /venv
# Any user id may run it, as clusters with arbitrary ids do; caches of libraries go where any id may write.
ENV PATH=/venv/bin:$PATH HOME=/tmp MPLCONFIGDIR=/tmp _KFP_RUNTIME=true PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["roadsafety"]
CMD ["--help"]
