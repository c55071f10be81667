# syntax=docker/dockerfile:1
# The sidecar in a small image: no shell is needed to run it, probe it or stop it.

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libcurl4-openssl-dev libjansson-dev libssl-dev zlib1g-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Package.swift ./
COPY Sources Sources
# The manifest names the test targets, so their folders must be there.
COPY Tests Tests
# -g keeps the names of functions for reports of crashes.
RUN swift build -c release --static-swift-stdlib --product claude-sidecar \
    && strip -g -o /claude-sidecar .build/release/claude-sidecar \
    && cp "$(find /usr -name swift-backtrace-static | head -n 1)" /swift-backtrace-static

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libcurl4 libjansson4 libssl3 zlib1g ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /claude-sidecar /usr/local/bin/claude-sidecar
COPY --from=build /swift-backtrace-static /usr/local/libexec/swift-backtrace-static
# Registers point into memory, and a key may stand there: a report of a crash must not show it.
ENV SWIFT_BACKTRACE=enable=yes,interactive=no,color=no,registers=none,images=none,swift-backtrace=/usr/local/libexec/swift-backtrace-static
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s CMD ["/usr/local/bin/claude-sidecar", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/claude-sidecar"]
