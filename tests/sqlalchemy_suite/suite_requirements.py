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
        "autocommit",
        "boolean_col_expressions",
        "check_constraint_reflection",
        "computed_columns",
        "computed_columns_reflect_persisted",
        "computed_columns_stored",
        "computed_columns_virtual",
        "create_table_as",
        "ctes",
        "ctes_on_dml",
        "ctes_with_update_delete",
        "ctes_with_values",
        "date_historic",
        "datetime_historic",
        "dbapi_lastrowid",
        "deferrable_fks",
        "except_",
        "expression_server_defaults",
        "foreign_key_constraint_name_reflection",
        "foreign_key_constraint_option_reflection_ondelete",
        "foreign_key_constraint_option_reflection_onupdate",
        "fk_constraint_option_reflection_ondelete_noaction",
        "fk_constraint_option_reflection_ondelete_restrict",
        "fk_constraint_option_reflection_onupdate_restrict",
        "implicit_default_schema",
        "index_ddl_if_exists",
        "indexes_check_column_order",
        "infinity_floats",
        "inline_check_constraint_reflection",
        "intersect",
        "isolation_level",
        "json_type",
        "mod_operator_as_percent_sign",
        "nullsordering",
        "order_by_label_with_expression",
        "percent_schema_names",
        "precision_numerics_enotation_small",
        "precision_numerics_many_significant_digits",
        "precision_numerics_retains_significant_digits",
        "reflect_table_options",
        "reflects_pk_names",
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
        "as SQLite: no parentheses round the parts of a UNION",
        "parens_in_union_contained_select_w_limit_offset",
        "parens_in_union_contained_select_wo_limit_offset",
    ),
}

Requirements = type("Requirements", (SuiteRequirements,), FEATURES)
