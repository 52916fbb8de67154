"""Expressions (https://www.sqlite.org/lang_expr.html), by SQLite's precedence.

sqlglot ranks some operators in another way. Where an operand would end up elsewhere, it is written in parentheses.
"""

from typing import Final

from sqlglot.tokenizer_core import TokenType

from discosql.errors import NotSupportedError
from discosql.planner.grammar.operand import QUERY_STARTS, OperandGrammar
from discosql.planner.grammar.reader import ALIASES, Place
from discosql.planner.grammar.tree import NAME_MARK
from discosql.planner.spelling import MARK
from discosql.types import MAX_INTEGER

OR, AND, NOT, EQUAL, COMPARE, BITS, SUM, PRODUCT, JOINED, COLLATE, UNARY, PRIMARY = range(1, 13)
"""How tightly operators bind, as in the order of precedence in parse.y."""

_BINARY: Final = {
    "OR": OR,
    "AND": AND,
    "=": EQUAL,
    "<>": EQUAL,
    "<": COMPARE,
    "<=": COMPARE,
    ">": COMPARE,
    ">=": COMPARE,
    "&": BITS,
    "|": BITS,
    "<<": BITS,
    ">>": BITS,
    "+": SUM,
    "-": SUM,
    "*": PRODUCT,
    "/": PRODUCT,
    "%": PRODUCT,
    "||": JOINED,
    "->": JOINED,
    "->>": JOINED,
}
_MATCHING: Final = frozenset({"LIKE", "GLOB", "REGEXP", "MATCH"})
_PREDICATES: Final = _MATCHING | {"IN", "BETWEEN", "IS", "ISNULL", "NOTNULL", "NOT"}
_NEGATED: Final = _MATCHING | {"IN", "BETWEEN", "NULL"}


class ExpressionGrammar(OperandGrammar):
    """Reads operators and their operands."""

    def expression(self, level: int = OR) -> int:
        """Read an expression whose operators bind at least as tightly as `level`; return the loosest it has."""
        start = len(self.out)
        done = self._operand()
        while True:
            kind = self.kind
            rank = _BINARY.get(kind)
            if rank is None:
                if kind == "COLLATE":
                    rank = COLLATE
                elif kind in _PREDICATES:
                    rank = EQUAL
                else:
                    return done
            if rank < level:
                return done
            if done < rank or (rank == EQUAL and done in (EQUAL, COMPARE)):
                self.wrap(start)
            if kind == "COLLATE":
                self.take()
                self.take_name(ALIASES)
            elif rank == EQUAL and kind in _PREDICATES:
                self._predicate()
            else:
                self._binary(kind, rank)
            done = rank

    def _binary(self, kind: str, rank: int) -> None:
        if kind in ("<<", ">>"):
            token = self.skip()
            for _ in range(2):
                self.write(TokenType.LT if kind == "<<" else TokenType.GT, kind[0], token)
        elif kind in ("->", "->>"):
            # sqlglot rewrites paths; with a marker between two concatenations they come through as they are.
            token = self.skip()
            self.write(TokenType.DPIPE, "||", token)
            self.write(TokenType.IDENTIFIER, MARK + kind + NAME_MARK, token)
            self.write(TokenType.DPIPE, "||", token)
        else:
            self.take()
        self._right(rank + 1)

    def _right(self, level: int, wrap_below: int | None = None) -> None:
        start = len(self.out)
        if self.expression(level) < (wrap_below or level):
            self.wrap(start)

    def _predicate(self) -> None:
        kind = self.kind
        if kind == "ISNULL" or kind == "NOTNULL" or (kind == "NOT" and self.peek() == "NULL"):
            self._null_test()
            return
        if kind == "NOT":
            self.take()
            kind = self.kind
            if kind not in _NEGATED:
                self.fail()
        if kind == "IS":
            self._is()
        elif kind == "IN":
            self._in()
        elif kind == "BETWEEN":
            self.take()
            self._right(NOT, wrap_below=BITS)
            self.expect_taking("AND")
            self._right(COMPARE, wrap_below=BITS)
        else:
            self.take()
            self._right(COMPARE, wrap_below=BITS)
            if self.kind == "ESCAPE":
                self._escape()

    def _null_test(self) -> None:
        token = self.skip()
        if token.kind == "NOT":
            self.skip()
        self.write(TokenType.IS, "IS", token)
        if token.kind != "ISNULL":
            self.write(TokenType.NOT, "NOT", token)
        self.write(TokenType.NULL, "NULL", token)

    def _is(self) -> None:
        self.take()
        if self.kind == "NOT":
            self.take()
        if self.kind == "DISTINCT" and self.peek() == "FROM":
            self.take()
            self.take()
        self._right(COMPARE, wrap_below=BITS)

    def _escape(self) -> None:
        self.take()
        start = len(self.out)
        self.expression(COMPARE)
        if len(self.out) > start + 1 or self.out[start].token_type != TokenType.STRING:
            # sqlglot wants a string behind ESCAPE, or a placeholder.
            self.graft(self.expressions_since(start)[0])

    def _in(self) -> None:
        self.take()
        if self.kind != "(":
            self._in_table()
            return
        self.take()
        if self.kind in QUERY_STARTS:
            self.query()
        elif self.kind != ")":
            items = self.long_list()
            if items:
                self.graft(items)
            else:
                self._in_items()
        self.expect_taking(")")

    def _in_table(self) -> None:
        if self.peek() == "(" or (self.peek() == "." and self.peek(3) == "("):
            raise NotSupportedError("IN with a table-valued function is not supported: write IN (SELECT ... FROM it)")
        token = self.token
        self.take_name()
        if self.kind == ".":
            self.take()
            token = self.token
            self.take_name()
        self.places.append(Place("table", token))

    def _in_items(self) -> None:
        while True:
            start = len(self.out)
            is_query = self.kind == "("
            self.expression()
            if is_query:
                # sqlglot would take `IN ((SELECT 1))` for `IN (SELECT 1)`, which is a list of rows, not of values.
                self.graft(self.expressions_since(start)[0])
            if self.kind != ",":
                return
            self.take()

    # Operands -----------------------------------------------------------------------------------------------------

    def _operand(self) -> int:
        kind = self.kind
        if kind == "NOT":
            self.take()
            self.expression(NOT)
            return NOT
        if kind == "-" and self.tokens[self.position + 1].text.replace("_", "") == str(MAX_INTEGER + 1):
            self.skip()
            self.write(TokenType.NUMBER, str(-MAX_INTEGER - 1), self.skip())
            return PRIMARY
        if kind in ("-", "~", "+"):
            if kind == "+":
                # sqlglot drops a unary plus, which takes affinity away; `|/` binds alike and SQLite does not have it.
                self.write(TokenType.PIPE_SLASH, "|/", self.skip())
            else:
                self.take()
            start = len(self.out)
            if self._operand() < UNARY:
                self.wrap(start)
            return UNARY
        self.primary()
        return PRIMARY
