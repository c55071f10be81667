"""A short soak, or a longer one with `SOAK=5m`; see `scripts/soak`."""

import asyncio
import os

import soak


def test_mixed_traffic_leaves_nothing_behind():
    print(asyncio.run(soak.mixed(soak.seconds(os.environ.get("SOAK", "12s")))))


def test_many_streams_at_once_are_all_served():
    print(asyncio.run(soak.streams(200)))
