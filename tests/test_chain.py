"""The rules that judge entries, without any guild: who wins a slot, and when that is certain."""

import pytest

from discosql.storage.chain import ORIGIN, Candidate, Chain, Head, Reading, Timing, winner_of
from discosql.storage.entry import GENESIS, Body, Entry, Packed, Position, read_entry, write_entry
from discosql.storage.guild import Message, time_id

DISCORD = Timing(visibility=1.0, settle=1.0)
LOCAL = Timing(visibility=0.0, settle=0.0)
NOON = 1_780_000_000.0


def entry(slot: int, parent: str, session: str = "A", salt: str = "") -> Entry:
    draft = write_entry(Position(1, slot, parent, session, salt), Packed(Body(("[]",))), "test")
    assert draft is not None
    return draft.entry


def message(seconds: float, number: int = 0) -> Message:
    return Message(time_id(NOON + seconds) + number, 1, 7, "")


def reading(seconds: float, *known: Entry, one_page: bool = True) -> Reading:
    return Reading(NOON + seconds, one_page, frozenset(each.id for each in known))


def owned(chain: Chain, session: str = "A", seconds: float = -100.0) -> Entry:
    """Decide slot 1 for a session and return its entry."""
    first = entry(1, GENESIS, session)
    chain.learn(first, message(seconds))
    winner = chain.decide(reading(0.0))
    assert winner is not None
    chain.advance(winner)
    return first


def test_the_lowest_message_wins_where_nobody_owns_the_slot() -> None:
    one, two = entry(1, GENESIS, "A"), entry(1, GENESIS, "B")
    candidates = [Candidate(one, message(0.2)), Candidate(two, message(0.1))]
    assert winner_of(candidates, "", 1.0).entry is two


def test_the_owner_has_precedence_within_the_settling_time() -> None:
    own, rival = entry(2, "x", "A"), entry(2, "x", "B")
    assert winner_of([Candidate(own, message(1.0)), Candidate(rival, message(0.0))], "A", 1.0).entry is own
    assert winner_of([Candidate(own, message(1.1)), Candidate(rival, message(0.0))], "A", 1.0).entry is rival


def test_a_copy_counts_by_its_lowest_message() -> None:
    chain = Chain(ORIGIN, DISCORD)
    one, two = entry(1, GENESIS, "A"), entry(1, GENESIS, "B")
    chain.learn(one, message(0.5))
    chain.learn(two, message(0.3))
    chain.learn(one, message(0.1))
    winner = chain.decide(reading(10))
    assert winner is not None and winner.entry is one


def test_the_owner_need_not_wait() -> None:
    chain = Chain(ORIGIN, DISCORD)
    first = owned(chain)
    second = entry(2, first.id)
    chain.learn(second, message(0))
    assert chain.decide(reading(0.1)) is not None


def test_others_are_certain_only_after_settling_and_visibility() -> None:
    chain = Chain(ORIGIN, DISCORD)
    first = owned(chain)
    chain.learn(entry(2, first.id, "B"), message(0))
    assert chain.decide(reading(1.9)) is None
    assert chain.certain_at == pytest.approx(NOON + 2.0)
    assert chain.decide(reading(2.1)) is not None


def test_a_reading_of_several_pages_may_miss_a_rival_of_the_owner() -> None:
    # The rival became visible between two pages: it lies in the first, the owner's entry in the second.
    chain = Chain(ORIGIN, DISCORD)
    first = owned(chain)
    second = entry(2, first.id)
    chain.learn(second, message(1.5))
    assert chain.decide(reading(1.6, one_page=False)) is None
    assert chain.decide(reading(1.7, second, one_page=False)) is not None
    rival = entry(2, first.id, "B")
    chain.learn(rival, message(0.2))
    assert chain.decide(reading(1.8, second)) is None
    winner = chain.decide(reading(2.3))
    assert winner is not None and winner.entry is rival


def test_an_owner_that_slept_has_lost_to_who_took_over() -> None:
    chain = Chain(ORIGIN, DISCORD)
    first = owned(chain)
    rival = entry(2, first.id, "B")
    chain.learn(rival, message(0))
    chain.learn(entry(2, first.id, "A"), message(300))
    winner = chain.decide(reading(302))
    assert winner is not None and winner.entry is rival


def test_reads_without_lag_decide_at_once() -> None:
    chain = Chain(ORIGIN, LOCAL)
    first = owned(chain)
    chain.learn(entry(2, first.id, "B"), message(0))
    assert chain.decide(reading(-50, one_page=False)) is not None


def test_a_child_with_a_lower_id_than_its_parent_is_found_within_the_overlap() -> None:
    chain = Chain(ORIGIN, DISCORD)
    parent = entry(1, GENESIS)
    child = entry(2, parent.id)
    chain.learn(child, message(-0.1))
    chain.learn(parent, message(0.0))
    for slot in (1, 2):
        winner = chain.decide(reading(10))
        assert winner is not None and winner.entry.slot == slot
        chain.advance(winner)
    assert chain.orphan() is None
    assert DISCORD.overlap >= 3 * DISCORD.visibility


def test_a_late_rival_is_noticed_while_it_can_matter() -> None:
    chain = Chain(ORIGIN, DISCORD)
    first = owned(chain)
    second = entry(2, first.id)
    chain.learn(second, message(0))
    winner = chain.decide(reading(0.1))
    assert winner is not None
    chain.advance(winner)
    assert not chain.learn(entry(2, first.id, "B"), message(-0.9)), "the owner has precedence"
    assert chain.learn(entry(2, first.id, "C"), message(-1.5))


def test_entries_below_the_base_and_old_copies_are_ignored() -> None:
    chain = Chain(Head(5, "five", "A", time_id(NOON - 100)), DISCORD)
    assert not chain.learn(entry(5, "four"), message(-200))
    assert not chain.learn(entry(3, "two"), message(1))
    assert chain.decide(reading(10)) is None
    assert chain.orphan() is None


def test_an_entry_without_its_parent_is_an_orphan() -> None:
    chain = Chain(ORIGIN, DISCORD)
    first = owned(chain)
    chain.learn(entry(3, "unknown"), message(0))
    orphan = chain.orphan()
    assert orphan is not None and orphan.entry.slot == 3
    chain.learn(entry(2, first.id), message(1))
    assert chain.orphan() is not None


def test_children_of_losers_are_no_orphans() -> None:
    chain = Chain(ORIGIN, DISCORD)
    first = owned(chain)
    winner, loser = entry(2, first.id, "A"), entry(2, first.id, "B")
    chain.learn(winner, message(0.0))
    chain.learn(loser, message(0.1))
    chain.learn(entry(3, loser.id, "B"), message(0.2))
    decided = chain.decide(reading(10))
    assert decided is not None and decided.entry is winner
    chain.advance(decided)
    assert chain.orphan() is None
    assert chain.decide(reading(10)) is None


def test_what_is_remembered_stays_bounded() -> None:
    chain = Chain(ORIGIN, DISCORD)
    parent = GENESIS
    for slot in range(1, 200):
        following = entry(slot, parent)
        chain.learn(following, message(slot))
        winner = chain.decide(reading(slot + 10))
        assert winner is not None
        chain.advance(winner)
        parent = following.id
    assert len(chain.recent_winners) <= 5
    assert not chain.learn(entry(100, "anything"), message(100.5))


# Entries ------------------------------------------------------------------------------------------------------------


def posted(text: str, **changes: object) -> Message:
    return Message(**({"id": 1, "channel": 1, "author": 7, "content": text} | changes))  # type: ignore[arg-type]


def test_an_entry_survives_its_message() -> None:
    body = Body(('[1,null,[["i",1,[[1,"`a\\u0000"]]]]]',))
    draft = write_entry(Position(1, 42, "p" * 24, "s" * 24, "0" * 8), Packed(body), "INSERT `users` ×3\n```")
    assert draft is not None
    assert draft.text.startswith("#42 INSERT  users  ×3")
    read = read_entry(posted(draft.text))
    assert read is not None
    assert (read.id, read.slot, read.parent, read.session, read.kind) == (
        draft.entry.id,
        42,
        "p" * 24,
        "s" * 24,
        "c",
    )
    assert read.body == [[1, None, [["i", 1, [[1, "`a\0"]]]]]]
    assert len(draft.nonce) == 25


@pytest.mark.parametrize("change", [("42", "43"), ('"k":"c"', '"k":"p"'), ("}", "} "), ("-# ", "-# 0")])
def test_a_changed_entry_is_none(change: tuple[str, str]) -> None:
    draft = write_entry(Position(1, 42, GENESIS, "s", "x"), Packed(Body(("[]",))), "test")
    assert draft is not None
    head, _, rest = draft.text.partition("```")
    assert read_entry(posted(draft.text)) is not None
    assert read_entry(posted(head + "```" + rest.replace(*change))) is None


def test_sending_again_is_the_same_entry_and_another_salt_another() -> None:
    ids = {entry(1, GENESIS, "A", salt).id for salt in ("x", "x", "y")}
    assert len(ids) == 2
