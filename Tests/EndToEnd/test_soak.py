"""Many streams at once, and a word of the soak that `scripts/test` runs behind these tests."""

import asyncio

import soak


def test_mixed_traffic_leaves_nothing_behind():
    print(asyncio.run(soak.mixed(12)))


def test_many_streams_at_once_are_all_served():
    print(asyncio.run(soak.streams(200)))
