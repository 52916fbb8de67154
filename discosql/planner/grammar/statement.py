"""Statements: what stands around queries, expressions and definitions (https://www.sqlite.org/lang.html)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from discosql.errors import NotSupportedError, ProgrammingError
from discosql.planner.grammar.operand import QUERY_STARTS
from discosql.planner.grammar.reader import NAMES
from discosql.planner.grammar.syntax import (
    AddColumn,
    CreateIndex,
    CreateTable,
    CreateView,
    Drop,
    DropColumn,
    ExplainStatement,
    Nothing,
    Pragma,
    QueryStatement,
    RenameColumn,
    RenameTable,
    StatementSyntax,
    TableDefinition,
    Transaction,
    VacuumStatement,
)
from discosql.planner.grammar.trigger import TriggerGrammar
from discosql.planner.tokens import unquote


class StatementGrammar(TriggerGrammar):
    """Reads one statement."""

    def statement(self) -> StatementSyntax:
        """Read the statement, its semicolon and nothing behind it."""
        while self.accept(";"):
            pass
        if self.kind == "end":
            return Nothing()
        statement = self._statement()
        if self.kind not in (";", "end"):
            self.fail()
        self.accept(";")
        if self.kind != "end" and self.sql[self.token.start :].strip() != "/*":  # a comment to sqlite3
            raise ProgrammingError("You can only execute one statement at a time.")
        return statement

    def _statement(self) -> StatementSyntax:
        kind = self.kind
        if kind in QUERY_STARTS and (kind != "WITH" or self.is_query()):
            start = len(self.out)
            self.query()
            return QueryStatement(self.query_since(start))
        if kind in ("INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"):
            return self.change()
        if kind in ("ATTACH", "DETACH"):
            raise NotSupportedError(f"{kind} is not supported: a connection has one database")
        readers: dict[str, Callable[[], StatementSyntax]] = {
            "CREATE": self._create,
            "DROP": self._drop,
            "ALTER": self._alter,
            "EXPLAIN": self._explain,
            "PRAGMA": self._pragma,
            "VACUUM": self._vacuum,
            "ANALYZE": self._analyze,
            "REINDEX": self._analyze,
            "BEGIN": self._begin,
            "COMMIT": self._end,
            "END": self._end,
            "ROLLBACK": self._rollback,
            "SAVEPOINT": self._savepoint,
            "RELEASE": self._release,
        }
        if kind not in readers:
            self.fail()
        return readers[kind]()

    # CREATE, DROP, ALTER --------------------------------------------------------------------------------------------

    def _create(self) -> StatementSyntax:
        self.skip()
        temporary = self.kind in ("TEMP", "TEMPORARY")
        if temporary:
            self.skip()
        kind = self.kind
        if kind == "TABLE":
            return replace(self._create_table(), temporary=temporary)
        if kind == "VIEW":
            return replace(self._create_view(), temporary=temporary)
        if kind in ("UNIQUE", "INDEX") and not temporary:
            return self._create_index()
        if kind == "TRIGGER":
            return self.create_trigger(temporary=temporary)
        if kind == "VIRTUAL" and not temporary:
            raise NotSupportedError("CREATE VIRTUAL TABLE is not supported")
        raise self.error()

    def _if_exists(self) -> bool:
        if self.accept("IF"):
            self.expect("EXISTS")
            return True
        return False

    def _text_from(self, position: int) -> str:
        """Return the source from a token to the end of the statement, as SQLite keeps it in sqlite_master."""
        return self.sql[self.tokens[position].start : self.token.start]

    def _create_table(self) -> CreateTable:
        self.skip()
        if_not_exists = self.if_not_exists()
        name = self.qualified_name()
        start = self.position - 1
        if self.accept("AS"):
            mark = len(self.out)
            self.query()
            return CreateTable(name, if_not_exists, TableDefinition(), self.query_since(mark), "")
        definition = self.table_definition()
        has_options = self.tokens[self.position - 1].kind != ")"
        text = self._text_from(start) if has_options else self.text_since(start)
        return CreateTable(name, if_not_exists, definition, None, f"CREATE TABLE {text}")

    def _create_index(self) -> CreateIndex:
        unique = self.accept("UNIQUE")
        self.expect("INDEX")
        if_not_exists = self.if_not_exists()
        name = self.qualified_name()
        start = self.position - 1
        self.expect("ON")
        table = self.read_table()
        self.expect("(")
        columns = self.indexed_columns("")
        self.expect(")")
        where = None
        if self.accept("WHERE"):
            mark, condition = len(self.out), self.position
            self.expression()
            del self.out[mark:]
            where = self.text_since(condition)
        if self.names:
            raise ProgrammingError("parameters prohibited in index expressions")
        sql = f"CREATE {'UNIQUE ' if unique else ''}INDEX {self._text_from(start)}"
        return CreateIndex(name, table, columns, unique, if_not_exists, sql, where)

    def _create_view(self) -> CreateView:
        self.skip()
        if_not_exists = self.if_not_exists()
        name = self.qualified_name()
        start = self.position - 1
        columns = self.read_names() if self.kind == "(" else ()
        self.expect("AS")
        body, mark = self.position, len(self.out)
        self.query()
        del self.out[mark:]
        if self.names:
            raise ProgrammingError("parameters are not allowed in views")
        text = self.text_since(body)
        return CreateView(name, columns, text, if_not_exists, f"CREATE VIEW {self._text_from(start).rstrip()}")

    def _drop(self) -> StatementSyntax:
        self.skip()
        kinds: dict[str, Literal["table", "index", "view", "trigger"]] = {
            "TABLE": "table",
            "INDEX": "index",
            "VIEW": "view",
            "TRIGGER": "trigger",
        }
        if self.kind not in kinds:
            self.fail()
        kind = kinds[self.skip().kind]
        if_exists = self._if_exists()
        return Drop(kind, self.qualified_name(), if_exists)

    def _alter(self) -> StatementSyntax:
        self.skip()
        self.expect("TABLE")
        table = self.qualified_name()
        if self.accept("RENAME"):
            if self.accept("TO"):
                return RenameTable(table, *self._new_name())
            self.accept("COLUMN")
            column = self.read_name()
            self.expect("TO")
            return RenameColumn(table, column, *self._new_name())
        if self.accept("ADD"):
            if self.kind == "CONSTRAINT":
                raise NotSupportedError("ALTER TABLE ADD CONSTRAINT is not supported")
            self.accept("COLUMN")
            start = self.position
            definition = TableDefinition()
            self.column_definition(definition)
            return AddColumn(table, definition, self._text_from(start).rstrip())
        if self.accept("DROP"):
            self.accept("COLUMN")
            return DropColumn(table, self.read_name())
        raise self.error()

    def _new_name(self) -> tuple[str, bool]:
        quoted = self.token.text[:1] in ("'", '"', "`", "[")
        return self.read_name(), quoted

    # Commands -----------------------------------------------------------------------------------------------------

    def _explain(self) -> ExplainStatement:
        self.skip()
        mode: Literal["plan", "analyze", "code"] = "plan"
        form: Literal["text", "json"] = "text"
        if self.accept("QUERY"):
            self.expect("PLAN")
        while self.kind == "ANALYZE":
            self.skip()
            mode = "analyze"
        if self.accept("("):
            while True:
                word = self.skip().text.upper()
                if word == "CODE":
                    mode = "code"
                elif word == "ANALYZE":
                    mode = "analyze"
                elif word == "FORMAT" and self.token.text.upper() in ("JSON", "TEXT"):
                    form = "json" if self.skip().text.upper() == "JSON" else "text"
                else:
                    raise ProgrammingError(f"unknown option of EXPLAIN: {word}")
                if not self.accept(","):
                    break
            self.expect(")")
        if self.kind == "EXPLAIN":
            self.fail()
        return ExplainStatement(self._statement(), mode, form)

    def _pragma(self) -> Pragma:
        self.skip()
        given = self.qualified_name()
        name, database = given.name.lower(), given.database
        if self.accept("="):
            return Pragma(name, self._pragma_value(), database=database)
        if self.accept("("):
            value = self._pragma_value()
            self.expect(")")
            return Pragma(name, value, is_call=True, database=database)
        return Pragma(name, database=database)

    def _pragma_value(self) -> str:
        sign = ""
        if self.kind in ("+", "-"):
            sign = "-" if self.skip().kind == "-" else ""
            if self.kind not in ("integer", "float"):
                self.fail()
        if self.kind in ("integer", "float"):
            return sign + self.number(self.skip())
        if self.kind in NAMES or self.kind in ("ON", "DELETE", "DEFAULT"):
            return unquote(self.skip().text)
        raise self.error()

    def _vacuum(self) -> VacuumStatement:
        self.skip()
        if self.kind in NAMES:
            self.skip()
        if self.kind == "INTO":
            raise NotSupportedError("VACUUM INTO is not supported")
        return VacuumStatement()

    def _analyze(self) -> Nothing:
        word = self.skip().kind
        return Nothing(word, self.qualified_name() if self.kind in NAMES else None)

    # Transactions -------------------------------------------------------------------------------------------------

    def _begin(self) -> Transaction:
        self.skip()
        if self.kind in ("DEFERRED", "IMMEDIATE", "EXCLUSIVE"):
            self.skip()
        self._transaction_word()
        return Transaction("begin")

    def _end(self) -> Transaction:
        self.skip()
        self._transaction_word()
        return Transaction("commit")

    def _transaction_word(self) -> None:
        if self.accept("TRANSACTION") and self.kind in NAMES:
            self.skip()

    def _rollback(self) -> Transaction:
        self.skip()
        self._transaction_word()
        if self.accept("TO"):
            self.accept("SAVEPOINT")
            return Transaction("rollback_to", self.read_name())
        return Transaction("rollback")

    def _savepoint(self) -> Transaction:
        self.skip()
        return Transaction("savepoint", self.read_name())

    def _release(self) -> Transaction:
        self.skip()
        self.accept("SAVEPOINT")
        return Transaction("release", self.read_name())
