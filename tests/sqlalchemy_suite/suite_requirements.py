"""Which of SQLAlchemy's optional features the dialect has, and why not where it has not."""

from typing import Any

from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements


def lacking(reason: str) -> Any:
    """Return the mark of a feature that is not there, for the report of skipped tests."""
    return exclusions.skip_if(lambda: True, reason)


def has(*features: str) -> dict[str, Any]:
    """Return requirements that are met."""
    return {feature: property(lambda self: exclusions.open()) for feature in features}


def lacks(reason: str, *features: str) -> dict[str, Any]:
    """Return requirements that are not met, for one reason."""
    return {feature: property(lambda self: lacking(reason)) for feature in features}


FEATURES = {
    **has(
        "aggregate_order_by",
        "autocommit",
        "boolean_col_expressions",
        "check_constraint_reflection",
        "computed_columns",
        "computed_columns_reflect_persisted",
        "computed_columns_stored",
        "computed_columns_virtual",
        "create_table_as",
        "create_temp_table_as",
        "ctes",
        "ctes_on_dml",
        "ctes_with_update_delete",
        "ctes_with_values",
        "date_historic",
        "datetime_historic",
        "datetime_literals",
        "datetime_timezone",
        "dbapi_lastrowid",
        "deferrable_fks",
        "except_",
        "expression_server_defaults",
        "float_or_double_precision_behaves_generically",
        "foreign_key_constraint_name_reflection",
        "foreign_key_constraint_option_reflection_ondelete",
        "foreign_key_constraint_option_reflection_onupdate",
        "fk_constraint_option_reflection_ondelete_noaction",
        "fk_constraint_option_reflection_ondelete_restrict",
        "fk_constraint_option_reflection_onupdate_restrict",
        "implicit_default_schema",
        "index_ddl_if_exists",
        "indexes_check_column_order",
        "indexes_with_expressions",
        "infinity_floats",
        "inline_check_constraint_reflection",
        "intersect",
        "isolation_level",
        "json_type",
        "legacy_unconditional_json_extract",
        "mod_operator_as_percent_sign",
        "nullsordering",
        "nvarchar_types",
        "order_by_label_with_expression",
        "percent_schema_names",
        "precision_numerics_enotation_small",
        "precision_numerics_many_significant_digits",
        "precision_numerics_retains_significant_digits",
        "reflect_table_options",
        "reflects_pk_names",
        "repeated_column_foreign_keys",
        "repeated_remote_col_foreign_keys",
        "regexp_match",
        "savepoints",
        "server_defaults",
        "skip_autocommit_rollback",
        "supports_bitwise_and",
        "supports_bitwise_not",
        "supports_bitwise_or",
        "supports_bitwise_shift",
        "supports_bitwise_xor",
        "table_ddl_if_exists",
        "temp_table_names",
        "temporary_views",
        "has_temp_table",
        "timestamp_microseconds",
        "tuple_in",
        "unicode_ddl",
        "update_from",
        "uuid_data_type",
        "view_column_reflection",
        "view_reflection",
        "views",
        "window_functions",
        "window_range",
        "window_range_numeric",
    ),
    **lacks(
        "design: a database is one schema, there is no ATTACH",
        "schemas",
        "schema_reflection",
        "cross_schema_fk_reflection",
        "schema_create_delete",
        "default_schema_name_switch",
    ),
    **lacks("as SQLite: a constraint without a name has none", "implicitly_named_constraints"),
    **lacks(
        "as SQLite: comments are not kept",
        "comment_reflection",
        "comment_reflection_full_unicode",
        "constraint_comment_reflection",
        "temp_table_comment_reflection",
    ),
    **lacks(
        "as SQLite: the tables of pragmas do not tell it",
        "column_collation_reflection",
        "index_reflects_included_columns",
        "reflect_indexes_with_expressions",
    ),
    **lacks(
        "as SQLite: constraints and indexes are told apart",
        "foreign_keys_reflect_as_index",
        "unique_constraints_reflect_as_index",
        "unique_index_reflect_as_unique_constraints",
    ),
    **lacks("as SQLite: no sequences, no IDENTITY", "sequences", "identity_columns", "identity_columns_standard"),
    **lacks(
        "as SQLite: LIMIT and OFFSET, no FETCH FIRST",
        "fetch_first",
        "fetch_no_order_by",
        "fetch_percent",
        "fetch_ties",
        "fetch_expression",
        "fetch_offset_with_options",
    ),
    **lacks(
        "as SQLite: no such statement or clause",
        "create_or_replace_view",
        "materialized_views",
        "materialized_views_reflect_pk",
        "supports_distinct_on",
        "delete_from",
        "table_value_constructor",
        "two_phase_transactions",
        "computed_columns_default_persisted",
    ),
    **lacks("as SQLite: no such function", "regexp_replace"),
    **lacks("as SQLite: RANGE with an offset orders by numbers", "window_range_non_numeric"),
    **lacks("as SQLite: a table has a column", "reflect_tables_no_columns"),
    **lacks("as SQLite: no arrays", "array_type"),
    **lacks("as SQLite: a TIME has no zone and no type of its own", "time_timezone"),
    **lacks("as SQLite: moments are written as text", "datetime_interval"),
    **lacks("as SQLite: names keep their case", "denormalized_names"),
    **lacks(
        "as SQLite: a number with a point in JSON is a REAL, of 15 digits",
        "cast_precision_numerics_many_significant_digits",
    ),
    **lacks("design: a cursor's rows are in memory once it is executed", "server_side_cursors"),
    **lacks(
        "as SQLite: no parentheses round the parts of a UNION",
        "parens_in_union_contained_select_w_limit_offset",
        "parens_in_union_contained_select_wo_limit_offset",
    ),
}


def get_order_by_collation(requirements: SuiteRequirements, config: Any) -> str:
    """Return a collation that the database has."""
    return "NOCASE"


Requirements = type(
    "Requirements", (SuiteRequirements,), {**FEATURES, "get_order_by_collation": get_order_by_collation}
)
