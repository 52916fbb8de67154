"""The work that is measured: what a bot does with a table, from its first start on."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.traffic.libraries import Discobase, Discosql, Library, running
from benchmarks.traffic.meter import Cost

ROWS = 256
MANY = 10_000
SEVERAL = (1, 16, 64, ROWS)
SAMPLE = 16
"""How many keys are looked up, changed and deleted: every sixteenth row's."""

Row = tuple[str, str, int]


@dataclass(frozen=True)
class Step:
    """A piece of work: what is measured, given what was made ready before, which is not."""

    act: Callable[[Library, Any], Awaitable[Any]]
    ready: Callable[[Library], Awaitable[Any]] | None = None


@dataclass
class Result:
    """What one kind of work cost, the same work several times or once; `failed` says what went wrong how often."""

    costs: list[Cost] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    cannot: str = ""

    @property
    def requests(self) -> float:
        """Requests each time, as a mean."""
        return sum(cost.requests for cost in self.costs) / len(self.costs)

    @property
    def most(self) -> int:
        """The largest number of requests."""
        return max(cost.requests for cost in self.costs)

    @property
    def seconds(self) -> float:
        """Seconds each time, as a mean."""
        return sum(cost.seconds for cost in self.costs) / len(self.costs)


Results = dict[tuple[str, str], Result]
"""Results by kind of work and library."""


def rows(number: int, start: int = 0) -> list[Row]:
    """Return that many books; no two share a value, as discobase's indexes want it."""
    return [(f"Title {item}", f"Author {item}", 10_000 + 7 * item) for item in range(start, start + number)]


class Measured:
    """Results as they come."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.results: Results = {}
        self._say = say

    async def steps(self, library: Library, name: str, steps: Iterable[Step]) -> None:
        """Do steps of one kind one after the other; errors of the library are a result too."""
        self._say(f"{library.name}: {name}")
        result = self.results.setdefault((name, library.name), Result())
        for step in steps:
            try:
                ready = await step.ready(library) if step.ready else None
                result.costs.append(await library.meter.cost(_noted(step.act(library, ready), result.failed, library)))
            except NotImplementedError as reason:
                result.cannot = str(reason)
            except Wrong as error:
                result.failed.append(str(error))


class Wrong(Exception):
    """An answer that is not what was stored."""


async def _noted(work: Awaitable[Any], failed: list[str], library: Library) -> None:
    errors: Any = library.module
    try:
        await work
    except (errors.DiscobaseError, Wrong) as error:
        failed.append(str(error) if isinstance(error, Wrong) else type(error).__name__)


async def measure(say: Callable[[str], None]) -> Results:
    """Do all the work with both libraries, in turn."""
    measured = Measured(say)
    for kind in (Discobase, Discosql):
        for number in SEVERAL:
            async with running(kind) as library:
                await measured.steps(library, "connect and create a table of 3 columns", [Step(_connect)])
                await measured.steps(library, _one_by_one(number), [Step(_insert, _made(rows(number)))])
                if number == ROWS:
                    await _use(measured, library)
        for number in (ROWS, MANY):
            async with running(kind) as library:
                await library.connect()
                name = f"insert {number:,} rows in one transaction"
                await measured.steps(library, name, [Step(_save_together(rows(number)))])
    return measured.results


def _one_by_one(number: int) -> str:
    return "insert 1 row, the first" if number == 1 else f"insert {number} rows one by one"


async def _use(measured: Measured, library: Library) -> None:
    sample = rows(ROWS)[:: ROWS // SAMPLE]
    missing = rows(SAMPLE, 10 * ROWS)
    await measured.steps(library, "connect again", [Step(_connect, _end)])
    await measured.steps(library, "look up a row, cold", [Step(_look_up([row]), _restart) for row in sample])
    await measured.steps(library, "look up a row, warm", [Step(_look_up([row])) for row in sample])
    await measured.steps(library, "look up what is not there", [Step(_look_up([], row)) for row in missing])
    await measured.steps(library, f"read all {ROWS} rows", [Step(_read_all)])
    await measured.steps(library, "update a field of a row", [Step(_update, _stored(row)) for row in sample])
    await measured.steps(library, "delete a row", [Step(_delete, _stored(row)) for row in sample])


async def _connect(library: Library, _: object) -> None:
    await library.connect()


async def _end(library: Library) -> None:
    await library.end()


async def _restart(library: Library) -> None:
    await library.end()
    await library.connect()


def _made(wanted: Sequence[Row]) -> Callable[[Library], Awaitable[Any]]:
    async def make(library: Library) -> list[Any]:
        return [library.made(row) for row in wanted]

    return make


async def _insert(library: Library, books: Sequence[Any]) -> None:
    for book in books:
        await book.save()


def _save_together(wanted: Sequence[Row]) -> Callable[[Library, Any], Awaitable[Any]]:
    async def save(library: Library, _: object) -> None:
        await library.save_together(wanted)

    return save


def _look_up(expected: Sequence[Row], wanted: Row | None = None) -> Callable[[Library, Any], Awaitable[Any]]:
    title = wanted[0] if wanted else expected[0][0]

    async def look_up(library: Library, _: object) -> None:
        found = await library.book.find(title=title)
        if [(book.title, book.author, book.year) for book in found] != list(expected):
            raise Wrong("not found" if expected else "found")

    return look_up


async def _read_all(library: Library, _: object) -> None:
    if len(await library.book.find()) != ROWS:
        raise Wrong("rows are missing")


def _stored(row: Row) -> Callable[[Library], Awaitable[Any]]:
    async def find(library: Library) -> Any:
        for book in await library.book.find():
            if book.title == row[0]:
                return book
        raise Wrong("not found")

    return find


async def _update(library: Library, book: Any) -> None:
    book.year = -book.year
    await book.update()


async def _delete(library: Library, book: Any) -> None:
    await book.delete()
