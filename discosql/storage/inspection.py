"""The second door of storage: looking at a database that may be damaged, and mending it.

`storage.engine` is for those who use a database that is whole; what is here is loaded only when it is asked for.
"""

from discosql.storage.archive import Archive
from discosql.storage.codec import decode_lines, encode_lines
from discosql.storage.history import state_as_of
from discosql.storage.history_check import strange_messages, verify_history
from discosql.storage.lost_entries import LostEntry, RowCounts, lost_entries
from discosql.storage.problems import Problem, Progress, Severity, no_progress
from discosql.storage.recovery import PageLoss
from discosql.storage.repair import Repair, RepairPlan
from discosql.storage.revert import revert
from discosql.storage.sealing import EncryptionKey, Keyring
from discosql.storage.state import catalog_changes_from_json, catalog_changes_to_json
from discosql.storage.survey import LogSurvey, Standing, problems_of, survey_log
from discosql.storage.verify import TableVerifier, verify_tables

__all__ = [
    "Archive",
    "EncryptionKey",
    "Keyring",
    "LogSurvey",
    "LostEntry",
    "PageLoss",
    "Problem",
    "Progress",
    "Repair",
    "RepairPlan",
    "RowCounts",
    "Severity",
    "Standing",
    "TableVerifier",
    "catalog_changes_from_json",
    "catalog_changes_to_json",
    "decode_lines",
    "encode_lines",
    "lost_entries",
    "no_progress",
    "problems_of",
    "revert",
    "state_as_of",
    "strange_messages",
    "survey_log",
    "verify_history",
    "verify_tables",
]
