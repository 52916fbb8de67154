"""All scenes, each with the rule without which it fails."""

from collections.abc import Awaitable, Callable
from typing import Final

from simulation import rules
from simulation import scenes_of_races as races
from simulation import scenes_of_sleepers as sleepers
from simulation.rules import Switch

DIRECTED: Final[dict[Callable[[], Awaitable[None]], Switch]] = {
    races.child_below_its_parent: rules.no_overlap,
    races.rival_between_two_pages: rules.several_pages_are_as_good,
    races.unknown_entry_lands_late: rules.forget_what_is_unknown,
    sleepers.compactor_sleeps_between_pages_and_entry: rules.no_segment,
    sleepers.frozen_before_posting: rules.no_trimmed_log_rule,
    races.answer_of_a_loser: rules.answer_is_the_verdict,
    races.two_start_at_once: rules.no_wait_for_others,
    sleepers.owner_frozen_for_minutes: rules.precedence_for_ever,
    sleepers.copy_of_an_old_entry: rules.old_copies_count,
    races.opened_among_young_candidates: rules.open_without_a_stamp,
    sleepers.frozen_without_dates: rules.no_date_is_as_good,
    races.keys_conflict_after_a_lost_slot: rules.no_revalidation,
    races.write_skew: rules.no_read_set,
    races.nonce_of_a_deleted_message: rules.a_deleted_nonce_is_an_end,
    races.parent_deleted: rules.no_orphan_alarm,
    races.running_engine_loses_its_head: rules.no_orphan_alarm,
    races.reads_lag_more_than_assumed: rules.no_late_alarm,
    sleepers.collector_reads_and_sleeps: rules.collection_by_the_clock,
    races.settling_time_of_the_owner: rules.settle_too_small,
    races.owner_shows_late: rules.visibility_too_small,
    sleepers.checkpoint_that_lost: rules.any_checkpoint_will_do,
}
"""Each scene with the rule without which it fails."""

OTHERS: Final[tuple[Callable[[], Awaitable[None]], ...]] = (
    races.opened_without_dates,
    sleepers.head_removed_under_an_idle_reader,
)
"""Scenes of faults that were found and mended."""
