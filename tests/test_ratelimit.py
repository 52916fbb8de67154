"""The model of Discord's rate limits, on a clock that stands still unless moved."""

import pytest

from discosql.storage.ratelimit import LIMITS, RateModel

DAY = 86_400.0


class Elapsed:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Elapsed:
    return Elapsed()


@pytest.fixture
def model(clock: Elapsed) -> RateModel:
    return RateModel(clock)


def ends(model: RateModel, kind: str, number: int, channel: int = 1) -> list[float]:
    """Return when each of so many requests ended, one after the other."""
    found = []
    for _ in range(number):
        model.charge(kind, channel)
        found.append(round(model.seconds, 3))
    return found


def test_posts_come_five_at_once_and_then_one_a_second(model: RateModel) -> None:
    assert ends(model, "post", 8) == [0.1, 0.2, 0.3, 0.4, 0.5, 1.1, 2.1, 3.1]


def test_each_channel_has_a_bucket_of_its_own(model: RateModel) -> None:
    ends(model, "post", 5, channel=1)
    assert ends(model, "post", 5, channel=2) == [0.6, 0.7, 0.8, 0.9, 1.0]


def test_each_kind_has_a_bucket_of_its_own(model: RateModel) -> None:
    ends(model, "post", 5)
    assert ends(model, "messages", 5)[-1] == 1.0


@pytest.mark.parametrize(("kind", "number", "seconds"), [("delete_messages", 3, 6.1), ("delete_message", 30, 9.1)])
def test_a_limit_is_kept_in_the_long_run(model: RateModel, kind: str, number: int, seconds: float) -> None:
    assert ends(model, kind, number)[-1] == pytest.approx(seconds)


def test_old_messages_are_deleted_one_every_four_seconds(model: RateModel) -> None:
    for _ in range(40):
        model.charge("delete_message", 1, age=15 * DAY)
    assert model.seconds == pytest.approx(10 * 4.0 + 0.1)


def test_all_requests_together_are_limited_to_fifty_a_second(clock: Elapsed) -> None:
    model = RateModel(clock, latency=0.0)
    for channel in range(150):
        model.charge("post", channel)
    assert model.seconds == pytest.approx(2.0)


def test_downloads_and_unlisted_kinds_take_their_latency_only(model: RateModel) -> None:
    assert "download" not in LIMITS
    assert ends(model, "download", 100)[-1] == pytest.approx(10.0)


def test_a_pause_fills_the_buckets_again(model: RateModel, clock: Elapsed) -> None:
    ends(model, "post", 10)
    before = model.seconds
    clock.seconds += 60.0
    assert ends(model, "post", 5)[-1] == pytest.approx(before + 0.5)


def test_requests_in_flight_together_overlap(model: RateModel) -> None:
    for end in [model.begin("post", 1) for _ in range(7)]:
        model.finish(end)
    # Five start at once, the others a second and two seconds later.
    assert model.seconds == pytest.approx(2.1)


def test_what_takes_longer_here_than_on_discord_counts_as_it_took(model: RateModel, clock: Elapsed) -> None:
    end = model.begin("messages", 1)
    clock.seconds += 3.0
    model.finish(end)
    assert model.seconds == pytest.approx(3.0)
