"""Charts, read back from their PNGs."""

import io
import sys
from collections.abc import AsyncIterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from bot_world import World, bot_world
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from discosql import DataError, NotSupportedError
from discosql.bot.charts import DPI, MAX_POINTS, MAX_SERIES, MISSING_GLYPH, SIZE, Kind, _drawable, draw

BLUE = (31, 119, 180)
ORANGE = (255, 127, 14)
"""matplotlib's first two colours."""

KINDS: tuple[Kind, ...] = ("bar", "line", "pie")


def picture(kind: Kind, rows: list[tuple[Any, ...]], *names: str, title: str = "") -> Image.Image:
    image = Image.open(io.BytesIO(draw(kind, names or ("place", "number"), rows, title)))
    assert image.format == "PNG"
    assert image.size == (round(SIZE[0] * DPI), round(SIZE[1] * DPI))
    return image.convert("RGB")


def area(image: Image.Image, colour: tuple[int, int, int]) -> int:
    """Return how many pixels have a colour."""
    counted = image.getcolors(1 << 24)
    assert counted is not None
    return dict((pixel, number) for number, pixel in counted).get(colour, 0)  # noqa: C402


def differ(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is not None


@pytest.mark.parametrize("kind", KINDS)
def test_other_numbers_other_places_and_another_title_are_another_picture(kind: Kind) -> None:
    first = picture(kind, [("a", 1), ("b", 2)])
    assert not differ(first, picture(kind, [("a", 1), ("b", 2)]))
    assert differ(first, picture(kind, [("a", 1), ("b", 3)]))
    assert differ(first, picture(kind, [("a", 1), ("c", 2)]))
    assert differ(first, picture(kind, [("a", 1), ("b", 2)], title="Two"))
    assert differ(first, picture(kind, [("a", 1), ("b", 2)], "place", "weight"))


def test_bars_are_as_high_as_their_numbers() -> None:
    one = area(picture("bar", [("a", 1), ("b", 10)]), BLUE)
    both = area(picture("bar", [("a", 10), ("b", 10)]), BLUE)
    assert 1.7 < both / one < 1.95  # 20 to 11
    image = picture("bar", [("a", 3, 1)], "place", "left", "right")
    assert 2.5 < area(image, BLUE) / area(image, ORANGE) < 3.3


def test_pieces_are_as_large_as_their_shares() -> None:
    image = picture("pie", [("a", 3), ("b", 1)])
    assert 2.5 < area(image, BLUE) / area(image, ORANGE) < 3.5


def test_null_is_a_gap() -> None:
    full, gap = picture("line", [(1, 1), (2, 1), (3, 1)]), picture("line", [(1, 1), (2, None), (3, 1)])
    assert area(gap, BLUE) < area(full, BLUE) / 2
    assert area(picture("pie", [("a", 1), ("b", None)]), ORANGE) == 0


def test_numbers_and_dates_have_their_place_on_the_axis() -> None:
    assert differ(picture("line", [(1, 1), (2, 2), (9, 3)]), picture("line", [(1, 1), (8, 2), (9, 3)]))
    days = [(date(2024, 1, 1), 1), (date(2024, 1, 2), 2), (date(2024, 3, 1), 3)]
    assert differ(picture("line", days), picture("line", [(str(day), number) for day, number in days]))
    picture("line", [(datetime(2024, 1, 1, 12), Decimal("1.5")), (datetime(2024, 1, 2), 2)])


def test_one_column_is_drawn_by_the_number_of_its_row() -> None:
    assert area(picture("bar", [(5,), (3,)], "number"), BLUE) > 10_000


@pytest.mark.parametrize("label", ["$x$", "$\\frac{1}{2", "_hidden", "\\", "%d", "a\nb", "\x1b[31m", "玫瑰", "😀", ""])
def test_labels_are_drawn_as_text(label: str) -> None:
    kind: Kind = "pie" if label.startswith("$") else "bar"
    image = picture(kind, [(label, 1), ("b", 2)], "place", label or "number", title=label)
    assert differ(image, picture(kind, [("x", 1), ("b", 2)], "place", label or "number", title=label))


def test_mathematics_is_not_set() -> None:
    # Were it, x² would take less room than its source.
    assert differ(picture("bar", [("$x^2$", 1)]), picture("bar", [("x^2", 1)]))


def test_series_whose_names_begin_with_an_underscore_are_in_the_legend() -> None:
    named = picture("bar", [("a", 1, 2)], "place", "_left", "_right", title="t")
    assert area(named, BLUE) > area(picture("bar", [("a", 1)], "place", "x", title="t"), BLUE) / 4
    assert differ(named, picture("bar", [("a", 1, 2)], "place", "_left", "_other", title="t"))


def test_columns_of_the_same_name() -> None:
    assert area(picture("bar", [("a", 1, 2)], "x", "n", "n"), ORANGE) > 1_000


def test_glyphs_that_no_font_has() -> None:
    assert _drawable("a\U00012000b", 10) == f"a{MISSING_GLYPH}b"
    assert _drawable("x" * 50, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("kind", "rows", "said"),
    [
        ("bar", [], "no rows"),
        ("bar", [("a", 1)] * (MAX_POINTS["bar"] + 1), "at most 60 rows, and the query has 61"),
        ("line", [(1, 1)] * (MAX_POINTS["line"] + 1), "at most 5,000 rows"),
        ("pie", [("a", 1)] * (MAX_POINTS["pie"] + 1), "at most 20 rows"),
        ("bar", [("a", "b")], "column c1 holds str values"),
        ("bar", [("a", b"x")], "column c1 holds bytes values"),
        ("bar", [("a", None)], "NULL"),
        ("bar", [("a", float("inf"))], "too large"),
        ("bar", [("a", Decimal("1e999"))], "too large"),
        ("bar", [("a", *[1] * (MAX_SERIES + 1))], "at most 8 columns"),
        ("pie", [("a", 1, 2)], "at most 1 column of"),
        ("pie", [("a", -1), ("b", 2)], "at least 0"),
        ("pie", [("a", 0)], "at least 0"),
    ],
)
def test_what_cannot_be_drawn(kind: Kind, rows: list[tuple[Any, ...]], said: str) -> None:
    names = [f"c{number}" for number in range(len(rows[0]) if rows else 2)]
    with pytest.raises(DataError, match=said):
        draw(kind, names, rows)


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(NotSupportedError, match=r"pip install 'discosql\[chart\]'"):
        draw("bar", ["a", "b"], [("x", 1)])


@settings(max_examples=6)
@given(
    st.sampled_from(KINDS),
    st.lists(
        st.tuples(st.one_of(st.none(), st.text(max_size=40), st.integers(), st.floats()), st.integers(1, 10**12)),
        min_size=1,
        max_size=12,
    ),
    st.text(max_size=100),
)
def test_anything_can_be_a_label(kind: Kind, rows: list[tuple[Any, ...]], title: str) -> None:
    picture(kind, rows, title=title)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with bot_world() as made:
        yield made


async def test_the_command(world: World) -> None:
    pictures = []
    for kind in KINDS:
        message = await world.message("chart", query="SELECT name, 2 FROM user", kind=kind, title="**All** @everyone")
        name, data = world.file(message)
        assert name == "chart.png"
        assert Image.open(io.BytesIO(data)).format == "PNG"
        (embed,) = message.embeds
        assert embed.title == r"\*\*All\*\* \@everyone"
        assert embed.footer.text == "2 rows"
        assert embed.image.url == "attachment://chart.png"
        assert message.ephemeral
        pictures.append(data)
    assert len(set(pictures)) == 3
    assert "at most 60 rows" in await world.ask(
        "chart", query="WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100) SELECT x, x FROM c"
    )
    assert "no such table" in await world.ask("chart", query="SELECT a, b FROM nowhere")
