"""SQL text to tokens, by the rules of SQLite's own tokenizer, and the division of a script into statements.

sqlglot's tokenizer is not used: it reads ``1_000`` as a number and an alias, ``?1`` not at all, and knows comments,
strings and operators that SQLite does not have.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from discosql.errors import SqlSyntaxError
from discosql.schema import quoted


class Token(NamedTuple):
    """A token. `kind` is the keyword in upper case, the operator, or one of the names below; `text` as written.

    Other kinds: ``id`` (a name, quotes and all), ``string``, ``blob``, ``integer``, ``float``, ``parameter``,
    ``illegal`` and, behind the last, ``end``, whose text is that of a comment that was not closed.
    """

    kind: str
    text: str
    start: int
    end: int


_KEYWORDS = """
    ABORT ACTION ADD AFTER ALL ALTER ALWAYS ANALYZE AND AS ASC ATTACH AUTOINCREMENT BEFORE BEGIN BETWEEN BY CASCADE CASE
    CAST CHECK COLLATE COLUMN COMMIT CONFLICT CONSTRAINT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME
    CURRENT_TIMESTAMP DATABASE DEFAULT DEFERRABLE DEFERRED DELETE DESC DETACH DISTINCT DO DROP EACH ELSE END ESCAPE
    EXCEPT EXCLUDE
    EXCLUSIVE EXISTS EXPLAIN FAIL FILTER FIRST FOLLOWING FOR FOREIGN FROM FULL GENERATED GLOB GROUP GROUPS HAVING IF
    IGNORE IMMEDIATE IN INDEX INDEXED INITIALLY INNER INSERT INSTEAD INTERSECT INTO IS ISNULL JOIN KEY LAST LEFT LIKE
    LIMIT MATCH MATERIALIZED NATURAL NO NOT NOTHING NOTNULL NULL NULLS OF OFFSET ON OR ORDER OTHERS OUTER OVER PARTITION
    PLAN PRAGMA PRECEDING PRIMARY QUERY RAISE RANGE RECURSIVE REFERENCES REGEXP REINDEX RELEASE RENAME REPLACE RESTRICT
    RETURNING RIGHT ROLLBACK ROW ROWS SAVEPOINT SELECT SET TABLE TEMP TEMPORARY THEN TIES TO TRANSACTION TRIGGER
    UNBOUNDED UNION UNIQUE UPDATE USING VACUUM VALUES VIEW VIRTUAL WHEN WHERE WINDOW WITH WITHOUT
"""
# Keywords that may not be names; the others are one wherever the keyword makes no sense ("%fallback ID" in parse.y).
_RESERVED = """
    ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE DEFAULT DEFERRABLE DELETE
    DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IN INDEX INSERT INTERSECT INTO IS ISNULL
    JOIN LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION
    UNION UNIQUE UPDATE USING VALUES WHEN WHERE FILTER OVER WINDOW
    INDEXED CROSS FULL INNER LEFT NATURAL OUTER RIGHT
"""
KEYWORDS: Final = frozenset(_KEYWORDS.split())
NAME_KINDS: Final = (KEYWORDS - frozenset(_RESERVED.split())) | {"id"}
JOIN_KINDS: Final = frozenset({"CROSS", "FULL", "INNER", "LEFT", "NATURAL", "OUTER", "RIGHT"})

# Everything above ASCII counts as a letter. As what they are not, these sets compile in no time.
_LETTER = r"[^\x00-@\[-^`{-\x7f]"
_LETTERS = r"[^\x00-\#%-/:-@\[-^`{-\x7f]"
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_PATTERN: Final = re.compile(
    rf"""
    (?P<space>[ \t\n\f\r]+|--[^\n]*|/\*[\s\S]*?\*/)
  | (?P<unclosed>/\*[\s\S]+)
  | (?P<blob>[xX]'(?:[0-9a-fA-F]{{2}})*')
  | (?P<broken>[xX]'[^']*'?)
  | (?P<word>{_LETTER}{_LETTERS}*)
  | (?P<float>(?:{_DIGITS}\.(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?(?!{_LETTERS})
             |{_DIGITS}[eE][+-]?{_DIGITS}(?!{_LETTERS}))
  | (?P<integer>0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*(?!{_LETTERS})|{_DIGITS}(?![.]|{_LETTERS}))
  | (?P<string>'[^']*(?:''[^']*)*')
  | (?P<id>"[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`|\[[^\]]*\])
  | (?P<parameter>\?[0-9]*|[:@\#$](?:{_LETTERS}|::)+(?:\([^\s)]*\))?)
  | (?P<operator>->>|->|<=|<>|<<|>=|>>|==|!=|\|\||[-+*/%&|~<>=(),;.])
  | (?P<illegal>['"`\[][\s\S]*|[0-9]{_LETTERS}*|.)
    """,
    re.VERBOSE,
)
_SAME_OPERATORS: Final = {"==": "=", "!=": "<>"}


def tokenize(sql: str) -> Iterator[Token]:
    """Yield the tokens of the text, without white space and comments; the last is of the kind ``end``."""
    if sql.startswith("\ufeff"):
        sql = " " + sql[1:]
    unclosed = ""
    for match in _PATTERN.finditer(sql):
        kind = match.lastgroup
        if kind == "space":
            continue
        text = match[0]
        if kind == "unclosed":
            unclosed = text
            continue
        if kind == "word":
            upper = text.upper()
            kind = upper if upper in KEYWORDS and text.isascii() else "id"
        elif kind == "operator":
            kind = _SAME_OPERATORS.get(text, text)
        elif kind == "broken":
            kind = "illegal"
        yield Token(kind or "illegal", text, match.start(), match.end())
    yield Token("end", unclosed, len(sql), len(sql))


def unquote(text: str) -> str:
    """Return a name or a string literal without its quotes."""
    mark = text[:1]
    if mark == "[":
        return text[1:-1]
    if mark and mark in "\"'`":
        return text[1:-1].replace(mark + mark, mark)
    return text


def quote(name: str) -> str:
    """Return a name as SQL text, quoted where it needs to be."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.upper() not in KEYWORDS:
        return name
    return quoted(name)


def error_near(sql: str, token: Token) -> SqlSyntaxError:
    """Return the error SQLite gives for a token that cannot stand where it stands."""
    if token.kind == "end":
        return SqlSyntaxError("incomplete input", sql, token.start)
    if token.kind == "illegal":
        return SqlSyntaxError(f'unrecognized token: "{token.text}"', sql, token.start)
    return SqlSyntaxError(f'near "{token.text}": syntax error', sql, token.start)


# Scripts -----------------------------------------------------------------------------------------------------------


def split(script: str) -> Iterator[str]:
    """Yield the statements of a script, each with its semicolon, blank ones left out; the last may be incomplete."""
    start = 0
    words: list[str] = []
    for token in tokenize(script):
        if token.kind == "end":
            break
        if token.kind == ";" and (not _is_trigger(words) or words[-2:] == [";", "END"]):
            if words:
                yield script[start : token.end].strip()
            start, words = token.end, []
        else:
            words.append(token.kind)
    if words:
        yield script[start:].strip()


def is_complete(sql: str) -> bool:
    """Tell whether the text ends with a whole statement, as `sqlite3.complete_statement` does."""
    complete = False
    words: list[str] = []
    for token in tokenize(sql):
        if token.kind == "end":
            return complete and not token.text
        if token.kind == ";" and (not _is_trigger(words) or words[-2:] == [";", "END"]):
            complete, words = True, []
        else:
            complete = False
            words.append(token.kind)
    return complete


def _is_trigger(words: list[str]) -> bool:
    head = words[1:5] if words[:1] == ["EXPLAIN"] else words[:3]
    head = [word for word in head if word not in ("TEMP", "TEMPORARY", "QUERY", "PLAN")]
    return head[:2] == ["CREATE", "TRIGGER"]
