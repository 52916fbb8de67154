"""A call of each scalar function, for the SQL reference."""

from typing import Final

_CORE: Final = """
abs(-2.5)|char(97, 98)|coalesce(NULL, 2, 3)|concat('a', NULL, 1)|concat_ws('-', 'a', NULL, 'b')
format('%05.1f', 3.14159)
glob('a*', 'abc')|hex('abc')|if(1 > 2, 'yes', 'no')|ifnull(NULL, 'none')|iif(1 < 2, 'yes', 'no')|instr('banana', 'an')
length('naïve')|like('a%', 'ABC')|likelihood(1, 0.5)|likely(1)|lower('ABC')|ltrim('  a ')|max(1, 3, 2)|min(1, 3, 2)
nullif(1, 1)|octet_length('naïve')|printf('%d of %s', 3, 'five')|quote('it''s')|regexp('^a', 'abc')
replace('banana', 'an', 'o')
round(2.567, 1)|rtrim('axx', 'x')|sign(-3)|soundex('Robert')|substr('abcdef', 2, 3)|substring('abcdef', -2)
trim('  a ')
typeof(1.5)|unhex('616263')|unicode('a')|unistr('\\0041')|unistr_quote('a')|unlikely(0)|upper('abc')|hex(zeroblob(2))
"""

_MATHEMATICS: Final = """
acos(1)|acosh(1)|asin(0)|asinh(0)|atan(0)|atan2(0, 1)|atanh(0)|ceil(1.2)|ceiling(-1.2)|cos(0)|cosh(0)|degrees(pi())
exp(0)|floor(-1.2)|ln(1)|log(100)|log10(1000)|log2(8)|mod(7, 3)|pi()|pow(2, 10)|power(2, 0.5)|radians(180)|sin(0)
sinh(0)|sqrt(2)|tan(0)|tanh(0)|trunc(-1.7)
"""

_DATES: Final = """
date('2024-01-31', '+1 month')|datetime(0, 'unixepoch')|julianday('2000-01-01')|strftime('%d.%m.%Y', '2024-02-29')
time('12:00', '-90 minutes')|timediff('2024-03-01', '2024-02-01')|unixepoch('2024-01-01')
"""

_JSON: Final = """
'{"a": [1, 2]}' -> '$.a'|'{"a": "b"}' ->> 'a'|json(' [1, 2] ')|json_array(1, 'a', NULL)|json_array_length('[1, 2, 3]')
json_error_position('[1, 2')|json_extract('{"a": 5}', '$.a')|json_insert('{"a": 1}', '$.b', 2)|json_object('a', 1)
json_patch('{"a": 1}', '{"b": 2}')|json_pretty('[1]')|json_quote('a')|json_remove('[1, 2]', '$[0]')
json_replace('{"a": 1}', '$.a', 2)|json_set('{"a": 1}', '$.a', 2)|json_type('[1]')|json_valid('[1')
json(jsonb('[1, 2]'))|json(jsonb_array(1, 2))|json(jsonb_extract('[[1]]', '$[0]'))
json(jsonb_insert('[1]', '$[1]', 2))
json(jsonb_object('a', 1))|json(jsonb_patch('{"a": 1}', '{"a": 2}'))|json(jsonb_remove('[1, 2]', '$[0]'))
json(jsonb_replace('[1]', '$[0]', 2))|json(jsonb_set('[1]', '$[0]', 2))|subtype(json('[1]'))
"""

_DATABASE: Final = """
changes()|current_date|current_time|current_timestamp|last_insert_rowid()|random()|randomblob(4)|sqlite_version()
total_changes()|sqlite_compileoption_get(0)|sqlite_compileoption_used('SOUNDEX')|sqlite_source_id()
"""


def _calls(text: str) -> tuple[str, ...]:
    return tuple(call for line in text.strip().splitlines() for call in line.split("|"))


FUNCTIONS: Final = {
    "Values and text": _calls(_CORE),
    "Mathematics": _calls(_MATHEMATICS),
    "Dates and times": _calls(_DATES),
    "JSON": _calls(_JSON),
    "The connection and the database": _calls(_DATABASE),
}
"""Calls by the heading that they stand under."""

REFUSING: Final = frozenset({"load_extension", "match", "sqlite_log"})
"""Functions that exist to be refused, or to do nothing, as in SQLite."""

VARYING: Final = frozenset({"sqlite_compileoption_get", "sqlite_source_id", "sqlite_version"})
"""Functions that tell of the program; those that tell of the moment are known by their signatures."""
