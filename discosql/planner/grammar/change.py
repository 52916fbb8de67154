"""INSERT, REPLACE, UPDATE and DELETE.

The rows that UPDATE and DELETE concern are read as the query ``SELECT * FROM table AS alias, … WHERE …``, so that one
builder of queries serves all statements.
"""

from sqlglot import exp
from sqlglot.tokenizer_core import Token as SqlToken
from sqlglot.tokenizer_core import TokenType

from discosql.errors import NotSupportedError, ProgrammingError
from discosql.planner.grammar.operand import QUERY_STARTS
from discosql.planner.grammar.reader import NAMES, Place
from discosql.planner.grammar.syntax import (
    Assignment,
    DeleteStatement,
    IndexedColumn,
    InsertStatement,
    Name,
    UpdateStatement,
    UpsertClause,
)
from discosql.planner.grammar.table import TableGrammar
from discosql.planner.grammar.tree import NAME_MARK
from discosql.planner.plan import Resolution

_RESOLUTIONS: dict[str, Resolution] = {
    "ABORT": "abort",
    "FAIL": "fail",
    "IGNORE": "ignore",
    "REPLACE": "replace",
    "ROLLBACK": "rollback",
}


class ChangeGrammar(TableGrammar):
    """Reads statements that change rows."""

    def is_query(self) -> bool:
        """Tell whether the statement that begins with WITH here is a query."""
        depth = 0
        for token in self.tokens[self.position :]:
            depth += (token.kind == "(") - (token.kind == ")")
            if depth == 0 and token.kind in ("INSERT", "REPLACE", "UPDATE", "DELETE"):
                return False
            if depth == 0 and token.kind in ("SELECT", "VALUES"):
                return True
        return True

    def change(self) -> InsertStatement | UpdateStatement | DeleteStatement:
        """Read INSERT, REPLACE, UPDATE or DELETE, with the WITH before it."""
        start = len(self.out)
        with_tokens = self.cut(start) if self.with_clause() else []
        if self.kind == "UPDATE":
            return self._update(with_tokens)
        if self.kind == "DELETE":
            return self._delete(with_tokens)
        return self._insert(with_tokens)

    def if_not_exists(self) -> bool:
        """Skip IF NOT EXISTS and return whether it was there."""
        if self.accept("IF"):
            self.expect("NOT", "EXISTS")
            return True
        return False

    def qualified_name(self) -> Name:
        """Skip the name of a table, index or view, with its database's where given."""
        name = self.read_name()
        if self.accept("."):
            return Name(self.read_table(), name)
        self.places.append(Place("table", self.tokens[self.position - 1]))
        return Name(name)

    def _changed_table(self) -> Name:
        table = self.qualified_name()
        if self.in_trigger and table.database is not None:
            raise ProgrammingError(
                "qualified table names are not allowed on INSERT, UPDATE, and DELETE statements within triggers"
            )
        return table

    def _owned_column(self, table: Name) -> str:
        self.places.append(Place("owned column", self.token, table.name))
        return self.read_name()

    def _resolution(self) -> Resolution | None:
        if not self.accept("OR"):
            return None
        if self.kind not in _RESOLUTIONS:
            self.fail()
        return _RESOLUTIONS[self.skip().kind]

    # INSERT -------------------------------------------------------------------------------------------------------

    def _insert(self, with_tokens: list[SqlToken]) -> InsertStatement:
        resolution: Resolution | None
        if self.accept("REPLACE"):
            resolution = "replace"
        else:
            self.expect("INSERT")
            resolution = self._resolution()
        self.expect("INTO")
        table = self._changed_table()
        alias = self.read_name() if not self.in_trigger and self.accept("AS") else None
        columns = self.read_names(lambda: self._owned_column(table)) if self.kind == "(" else None
        source = None
        upserts: list[UpsertClause] = []
        if self.kind == "DEFAULT" and not self.in_trigger:
            self.expect("DEFAULT", "VALUES")
        elif self.kind in QUERY_STARTS:
            source = self._source(with_tokens)
            while self.kind == "ON":
                upserts.append(self._upsert(table))
        else:
            self.fail()
        returning = self._returning()
        return InsertStatement(table, alias, columns, source, resolution, tuple(upserts), returning)

    def _source(self, with_tokens: list[SqlToken]) -> exp.Expr:
        start = len(self.out)
        self.query()
        tree = self.query_since(start)
        if with_tokens:
            self.out += [*with_tokens, SqlToken(TokenType.SELECT, "SELECT"), SqlToken(TokenType.NUMBER, "1")]
            outer = self.query_since(start).args["with_"]
            own = tree.args.get("with_")
            if own is not None:
                outer.set("expressions", outer.expressions + own.expressions)
                outer.set("recursive", outer.args.get("recursive") or own.args.get("recursive"))
            tree.set("with_", outer)
        return tree

    def _upsert(self, table: Name) -> UpsertClause:
        self.expect("ON", "CONFLICT")
        target: tuple[IndexedColumn, ...] | None = None
        target_where: exp.Expr | None = None
        known = len(self.places)
        if self.accept("("):
            target = self.indexed_columns("")
            self.expect(")")
            target_where = self._where_tree()
        self.places[known:] = [place._replace(kind="owned column", owner=table.name) for place in self.places[known:]]
        self.expect("DO")
        if self.accept("NOTHING"):
            return UpsertClause(target, None, None, target_where)
        self.expect("UPDATE", "SET")
        assignments = self._assignments(table)
        return UpsertClause(target, assignments, self._where_tree(), target_where)

    def _where_tree(self) -> exp.Expr | None:
        if not self.accept("WHERE"):
            return None
        start = len(self.out)
        self.expression()
        return self.expressions_since(start)[0]

    def _assignments(self, table: Name) -> tuple[Assignment, ...]:
        def read() -> str:
            return self._owned_column(table)

        assignments = []
        while True:
            names = self.read_names(read) if self.kind == "(" else (read(),)
            self.expect("=")
            start = len(self.out)
            self.expression()
            assignments.append(Assignment(names, self.expressions_since(start)[0]))
            if not self.accept(","):
                return tuple(assignments)

    def _returning(self) -> tuple[exp.Expr, ...] | None:
        if not self.accept("RETURNING"):
            return None
        if self.in_trigger:
            raise ProgrammingError("cannot use RETURNING in a trigger")
        start = len(self.out)
        self.result_columns()
        return tuple(self.expressions_since(start))

    # UPDATE and DELETE ----------------------------------------------------------------------------------------------

    def _update(self, with_tokens: list[SqlToken]) -> UpdateStatement:
        self.expect("UPDATE")
        resolution = self._resolution()
        table, alias = self._target()
        self.expect("SET")
        assignments = self._assignments(table)
        start = len(self.out)
        self._select_from(with_tokens, table, alias)
        joined = self.accept("FROM")
        if joined:
            self.write(TokenType.COMMA, ",")
            self.joined_tables()
        source = self._rows(start)
        return UpdateStatement(table, alias, assignments, source, resolution, self._returning(), joined)

    def _delete(self, with_tokens: list[SqlToken]) -> DeleteStatement:
        self.expect("DELETE", "FROM")
        table, alias = self._target()
        start = len(self.out)
        self._select_from(with_tokens, table, alias)
        source = self._rows(start)
        return DeleteStatement(table, alias, source, self._returning())

    def _target(self) -> tuple[Name, str | None]:
        table = self._changed_table()
        if self.in_trigger:
            self._refuse_index_hint()
            return table, None
        alias = self.read_name(NAMES) if self.accept("AS") else None
        self.index_hint()
        return table, alias

    def _refuse_index_hint(self) -> None:
        for words in (("INDEXED", "BY"), ("NOT", "INDEXED")):
            if self.accept(*words):
                raise ProgrammingError(
                    f"the {' '.join(words)} clause is not allowed on UPDATE or DELETE statements within triggers"
                )

    def _select_from(self, with_tokens: list[SqlToken], table: Name, alias: str | None) -> None:
        self.out += with_tokens
        self.write(TokenType.SELECT, "SELECT")
        self.write(TokenType.STAR, "*")
        self.write(TokenType.FROM, "FROM")
        if table.database is not None:
            self.write(TokenType.IDENTIFIER, table.database + NAME_MARK)
            self.write(TokenType.DOT, ".")
        self.write(TokenType.IDENTIFIER, table.name + NAME_MARK)
        self.write(TokenType.ALIAS, "AS")
        self.write(TokenType.IDENTIFIER, (alias or table.name) + NAME_MARK)

    def _rows(self, start: int) -> exp.Expr:
        if self.kind == "WHERE":
            self.where_clause()
        source = self.query_since(start)
        if self.kind in ("ORDER", "LIMIT"):
            raise NotSupportedError("ORDER BY and LIMIT in UPDATE and DELETE are not supported")
        return source
