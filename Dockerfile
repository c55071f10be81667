# syntax=docker/dockerfile:1
# The sidecar in an image of its own: the program, the libraries that it loads, certificates, and
# nothing else. There is no shell in it, and none is needed to run it, probe it or stop it.
# `scripts/image` builds and tries it without a registry. For a build that can be repeated, give
# the base image by digest: --build-arg SWIFT_IMAGE=swift@sha256:…

ARG SWIFT_IMAGE=docker.io/library/swift:6.3-bookworm
FROM ${SWIFT_IMAGE} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libcurl4-openssl-dev libjansson-dev libssl-dev zlib1g-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Package.swift ./
COPY Sources Sources
# The manifest names the test targets, so their folders must be there.
COPY Tests Tests
COPY scripts/lib scripts/
# Before it nothing depends on the commit.
ARG REVISION=
RUN CLAUDE_SIDECAR_COMMIT=${REVISION} bash -c '. scripts/lib && build_release'
# Debian's own version of libcurl, without what nothing here uses: LDAP, Kerberos, SSH.
COPY scripts/slim-curl scripts/
RUN scripts/slim-curl /slim \
    && install /slim/lib/libcurl.so.4 "$(readlink -f /usr/lib/*/libcurl.so.4)"
COPY scripts/assemble scripts/assemble
RUN scripts/assemble .build/release/claude-sidecar /image

# What a debugger wants and the image does not carry: --target symbols --output type=local,dest=.
FROM scratch AS symbols
COPY --from=build /build/.build/release/claude-sidecar /claude-sidecar.debug

FROM scratch
ARG VERSION=development
ARG REVISION=unknown
# Where this repository is read.
ARG SOURCE=
LABEL org.opencontainers.image.title="claude-sidecar" \
    org.opencontainers.image.description="Anthropic's Messages API on any OpenAI-compatible server" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.source="${SOURCE}"
COPY --from=build /image /
# A crash is told by the backtracer beside the program. Registers point into memory, and a key may
# stand there: the report must not show it.
ENV SWIFT_BACKTRACE=enable=yes,interactive=no,color=no,registers=none,images=none,swift-backtrace=/usr/libexec/swift-backtrace-static
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s CMD ["/usr/bin/claude-sidecar", "healthcheck"]
ENTRYPOINT ["/usr/bin/claude-sidecar"]
