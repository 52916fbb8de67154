"""Queries: SELECT, VALUES, set operations and WITH (https://www.sqlite.org/lang_select.html)."""

from typing import Final

from sqlglot import exp
from sqlglot.tokenizer_core import Token as SqlToken
from sqlglot.tokenizer_core import TokenType

from discosql.errors import ProgrammingError
from discosql.planner.grammar.expression import ExpressionGrammar
from discosql.planner.grammar.operand import QUERY_STARTS
from discosql.planner.grammar.reader import ALIASES, NAMES, Place
from discosql.planner.grammar.tree import TEXT_MARK
from discosql.planner.tokens import JOIN_KINDS, Token

_SET_OPERATORS: Final = frozenset({"UNION", "INTERSECT", "EXCEPT"})
_JOINS: Final = JOIN_KINDS | {",", "JOIN"}


class QueryGrammar(ExpressionGrammar):
    """Reads queries."""

    def query(self) -> None:
        """Read a query with all its arms."""
        self.with_clause()
        ended = self._arm()
        while self.kind in _SET_OPERATORS:
            operator = self.kind
            if ended:
                raise ProgrammingError(f"{ended} clause should come after {self._operator_text()} not before")
            self.take()
            if operator == "UNION" and self.kind == "ALL":
                self.take()
            ended = self._arm()

    def _operator_text(self) -> str:
        return "UNION ALL" if self.kind == "UNION" and self.peek() == "ALL" else self.kind

    def _arm(self) -> str:
        """Read SELECT or VALUES and return the first of ORDER BY and LIMIT that it had, which only the last may."""
        if self.kind == "VALUES":
            self._values()
            return ""
        if self.kind != "SELECT":
            self.fail()
        self._select()
        ended = ""
        if self.kind == "ORDER":
            self.ordering()
            ended = "ORDER BY"
        if self.kind == "LIMIT":
            self._limit()
            ended = ended or "LIMIT"
        return ended

    def with_clause(self) -> bool:
        """Read WITH, if it is there."""
        if self.kind != "WITH":
            return False
        self.take()
        if self.kind == "RECURSIVE":
            self.take()
        self._table_expression()
        while self.kind == ",":
            self.take()
            self._table_expression()
        return True

    def _table_expression(self) -> None:
        self.places.append(Place("alias", self.token))
        self.take_name()
        if self.kind == "(":
            self.name_list()
        self.expect_taking("AS")
        if self.kind == "NOT":
            self.take()
            self.expect_taking("MATERIALIZED")
        elif self.kind == "MATERIALIZED":
            self.take()
        self.expect_taking("(")
        self.query()
        self.expect_taking(")")

    def name_list(self) -> None:
        """Read names in parentheses."""
        self.expect_taking("(")
        self.take_name()
        while self.kind == ",":
            self.take()
            self.take_name()
        self.expect_taking(")")

    # SELECT and VALUES --------------------------------------------------------------------------------------------

    def _values(self) -> None:
        self.take()
        rows = self._literal_rows()
        if rows:
            self.write(TokenType.L_PAREN, "(")
            self.graft(rows)
            self.write(TokenType.R_PAREN, ")")
            return
        while True:
            self.expect_taking("(")
            self.expressions()
            self.expect_taking(")")
            if self.kind != ",":
                return
            self.take()

    def _literal_rows(self) -> list[exp.Expr]:
        """Skip rows of literals and return their trees; if there is anything else among them, stay and return none."""
        tokens, position, known = self.tokens, self.position, len(self.names)
        rows: list[exp.Expr] = []
        while tokens[position].kind == "(":
            items, position = self.literals_at(position + 1)
            if not items:
                break
            rows.append(exp.Tuple(expressions=items))
            position += 1
            if tokens[position].kind != ",":
                self.move_to(position)
                return rows
            position += 1
        del self.names[known:]
        return []

    def _select(self) -> None:
        self.take()
        if self.kind == "DISTINCT":
            self.take()
        elif self.kind == "ALL":
            self.skip()
        self.result_columns()
        if self.kind == "FROM":
            self.from_clause()
        if self.kind == "WHERE":
            self.where_clause()
        if self.kind == "GROUP":
            token = self.skip()
            self.expect("BY")
            self.write(TokenType.GROUP_BY, "GROUP BY", token)
            self.expressions()
        if self.kind == "HAVING":
            self.take()
            self.expression()
        if self.kind == "WINDOW":
            self._windows()

    def result_columns(self) -> None:
        """Read the columns of a result, each with its alias or, for `output_name`, its text."""
        self._result_column()
        while self.kind == ",":
            self.take()
            self._result_column()

    def _result_column(self) -> None:
        if self.kind == "*":
            self.take()
            return
        if self.kind in NAMES and self.peek() == "." and self.peek(2) == "*":
            self.places.append(Place("qualifier", self.token))
            self.take_name()
            self.take()
            self.take()
            return
        start = self.position
        self.expression()
        if self.kind == "AS":
            self.take()
            self.take_name()
        elif self.kind in ALIASES:
            self.write(TokenType.ALIAS, "AS")
            self.take_name()
        else:
            # SQLite's name is the text up to the next token, comments and all.
            text = self.sql[self.tokens[start].start : self.token.start].rstrip()
            self.write(TokenType.ALIAS, "AS")
            self.write(TokenType.IDENTIFIER, text + TEXT_MARK)

    def where_clause(self) -> None:
        """Read WHERE."""
        self.take()
        self.expression()

    def _windows(self) -> None:
        while self.kind in ("WINDOW", ","):
            self.take()
            self.take_name()
            self.expect_taking("AS")
            self.window()

    def ordering(self) -> None:
        """Read ORDER BY and its terms."""
        token = self.skip()
        self.expect("BY")
        self.write(TokenType.ORDER_BY, "ORDER BY", token)
        while True:
            self.expression()
            if self.kind in ("ASC", "DESC"):
                self.take()
            if self.kind == "NULLS":
                self.take()
                if self.kind not in ("FIRST", "LAST"):
                    self.fail()
                self.take()
            if self.kind != ",":
                return
            self.take()

    def _limit(self) -> None:
        self.take()
        self._limit_value()
        if self.kind in (",", "OFFSET"):
            self.take()
            self._limit_value()

    def _limit_value(self) -> None:
        start = len(self.out)
        self.expression()
        if len(self.out) > start + 1:
            self.wrap(start)

    # FROM ---------------------------------------------------------------------------------------------------------

    def from_clause(self) -> None:
        """Read FROM and its joins."""
        self.take()
        self.joined_tables()

    def joined_tables(self) -> None:
        """Read tables and the joins between them."""
        self._table()
        if self.kind in ("ON", "USING"):
            raise ProgrammingError("a JOIN clause is required before " + self.kind)
        while self.kind in _JOINS:
            joined_at = len(self.out)
            natural = self._join_operator()
            operator = self.out[joined_at:]
            self._table()
            if self.kind in ("ON", "USING"):
                if natural:
                    raise ProgrammingError("a NATURAL join may not have an ON or USING clause")
                if operator[0].token_type in (TokenType.COMMA, TokenType.CROSS):
                    # sqlglot reads no condition behind these; they are inner joins with one.
                    self.out[joined_at : joined_at + len(operator)] = [SqlToken(TokenType.JOIN, "JOIN")]
                self._join_condition()

    def _join_condition(self) -> None:
        if self.kind == "ON":
            self.take()
            self.expression()
        else:
            self.take()
            self.name_list()

    def _join_operator(self) -> bool:
        """Read a join operator, write it in sqlglot's order and return whether it is NATURAL."""
        if self.kind in (",", "JOIN"):
            self.take()
            return False
        words: list[Token] = []
        while self.kind != "JOIN" and len(words) < 3:
            if self.kind not in NAMES:
                self.fail()
            words.append(self.skip())
        if self.kind != "JOIN":
            self.fail()
        kinds = {word.text.upper() for word in words}
        outer = kinds & {"LEFT", "RIGHT", "FULL"}
        known = kinds <= JOIN_KINDS
        if not known or (kinds & {"INNER", "CROSS"} and outer | kinds & {"OUTER"}) or ("OUTER" in kinds and not outer):
            raise ProgrammingError("unknown join type: " + " ".join(word.text for word in words))
        if "NATURAL" in kinds:
            self.write(TokenType.NATURAL, "NATURAL")
        if outer:
            side = next(iter(outer)) if len(outer) == 1 else "FULL"
            self.write(TokenType[side], side)
        elif "CROSS" in kinds and "NATURAL" not in kinds:
            # sqlglot calls a comma a CROSS join as well; this one keeps its order.
            self.write(TokenType.CROSS, "ORDERED")
        self.take()
        return "NATURAL" in kinds

    def _table(self) -> None:
        if self.kind == "(":
            self.take()
            if self.kind in QUERY_STARTS:
                self.query()
            else:
                self.joined_tables()
            self.expect_taking(")")
            self.height += 1
            self._alias()
            return
        token = self.token
        self.take_name()
        if self.kind == ".":
            self.take()
            token = self.token
            self.take_name()
        if self.kind == "(":
            self.take()
            if self.kind != ")":
                self.expressions()
            self.expect_taking(")")
            self._alias()
            return
        self.places.append(Place("table", token))
        self._moment()
        self._alias()
        self.index_hint()

    def _moment(self) -> None:
        """Read ``FOR SYSTEM_TIME AS OF moment``, the one thing here that SQLite does not have."""
        if self.kind != "FOR" or self.tokens[self.position + 1].text.upper() != "SYSTEM_TIME":
            return
        if self.peek(2) != "AS" or self.peek(3) != "OF":
            return
        for _ in range(2):
            token = self.skip()
            self.write(TokenType.VAR, token.text.upper(), token)
        self.take()
        self.take()
        start = len(self.out)
        self.primary()
        self.wrap(start)

    def _alias(self) -> None:
        if self.kind == "AS":
            self.take()
            self.places.append(Place("alias", self.token))
            self.take_name()
        elif self.kind in ALIASES:
            self.places.append(Place("alias", self.token))
            self.write(TokenType.ALIAS, "AS")
            self.take_name()

    def index_hint(self) -> None:
        """Skip INDEXED BY and NOT INDEXED: the planner chooses by itself, but the index must be there."""
        if self.accept("NOT", "INDEXED"):
            return
        if self.accept("INDEXED", "BY"):
            self.places.append(Place("index", self.token))
            self.read_name()
