"""What operators stand between: literals, names, calls, CASE, CAST, subqueries and all else that is one operand."""

from collections.abc import Callable
from typing import Final

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from discosql.errors import ProgrammingError, SqlSyntaxError
from discosql.planner.grammar.reader import ALIASES, NAMES, Place, Reader
from discosql.planner.grammar.tree import NAME_MARK
from discosql.planner.spelling import MARK, RAISE_CALL
from discosql.planner.tokens import Token, unquote
from discosql.types import MAX_INTEGER

QUERY_STARTS: Final = frozenset({"SELECT", "VALUES", "WITH"})

MAX_NESTING: Final = 8
"""How many compound operands within each other sqlglot is given at once; what is deeper is parsed apart."""

LONG_LIST: Final = 32
"""From so many literals in a list, they are made into a tree without sqlglot, which is slow with them."""

_LARGEST_NEGATIVE: Final = "9223372036854775808"
"""With a minus before it still an integer, without it none: `ExpressionGrammar` reads it."""

_NOW: Final = frozenset({"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"})
_COLUMNS: Final = NAMES - _NOW - {"string", "CAST", "RAISE"}
_LITERALS: Final = frozenset({"integer", "float", "string", "blob", "NULL", "parameter"})
_NUMBERS: Final = frozenset({"integer", "float"})
_QUOTES: Final = frozenset("'\"`[")
_RAISED: Final = frozenset({"IGNORE", "ROLLBACK", "ABORT", "FAIL"})
_FRAMES: Final = frozenset({"RANGE", "ROWS", "GROUPS"})


class OperandGrammar(Reader):
    """Reads operands. `height` counts the compound operands within each other in what was read last.

    `in_trigger` says that RAISE() may be used.
    """

    def __init__(self, sql: str) -> None:
        super().__init__(sql)
        self.height = 0
        self.in_trigger = False
        self._compound: dict[str, Callable[[], None]] = {
            "(": self._parenthesis,
            "CASE": self._case,
            "CAST": self._cast,
            "EXISTS": self._exists,
        }

    def expression(self, level: int = 1) -> int:
        """Read an expression: `ExpressionGrammar` knows how."""
        raise NotImplementedError

    def query(self) -> None:
        """Read a query: `QueryGrammar` knows how."""
        raise NotImplementedError

    def ordering(self) -> None:
        """Read ORDER BY: `QueryGrammar` knows how."""
        raise NotImplementedError

    def expressions(self) -> None:
        """Read expressions with commas between."""
        self.expression()
        while self.kind == ",":
            self.take()
            self.expression()

    def primary(self) -> None:
        """Read one operand without operators."""
        kind = self.kind
        if kind in _LITERALS and not (kind == "string" and self.peek() == "."):
            self._literal()
        elif kind in self._compound:
            self._nested(self._compound[kind])
        elif kind in _COLUMNS and self.peek() == "(":
            self._nested(self._call)
        elif kind in _COLUMNS or kind == "string":
            self._column()
        elif kind in _NOW:
            token = self.skip()
            self.write(TokenType.IDENTIFIER, token.text + NAME_MARK, token)
            self.write(TokenType.L_PAREN, "(", token)
            self.write(TokenType.R_PAREN, ")", token)
        elif kind == "RAISE" and self.peek() == "(":
            self._raise()
        else:
            self.fail()

    def _raise(self) -> None:
        if not self.in_trigger:
            raise ProgrammingError("RAISE() may only be used within a trigger-program")
        self.write(TokenType.IDENTIFIER, RAISE_CALL + NAME_MARK, self.skip())
        self.expect_taking("(")
        if self.kind not in _RAISED:
            self.fail()
        action = self.skip()
        self.write(TokenType.STRING, action.kind.lower(), action)
        if action.kind != "IGNORE":
            self.expect_taking(",")
            self.expression()
        self.expect_taking(")")

    # Literals and names -------------------------------------------------------------------------------------------

    def _literal(self) -> None:
        kind = self.kind
        if kind == "parameter":
            self.take_parameter()
            return
        token = self.skip()
        if kind == "string":
            self.write(TokenType.STRING, unquote(token.text), token)
        elif kind == "blob":
            self.write(TokenType.HEX_STRING, token.text[2:-1], token)
        elif kind == "NULL":
            self.write(TokenType.NULL, token.text, token)
        else:
            self.write(TokenType.NUMBER, self.number(token), token)

    def number(self, token: Token) -> str:
        """Return a numeric literal in the form Python reads too; an integer of more than 64 bits becomes a real."""
        text = token.text.replace("_", "")
        if token.kind == "float":
            return text
        if text[:2] in ("0x", "0X"):
            if len(text[2:].lstrip("0")) > 16:
                raise SqlSyntaxError(f"hex literal too big: {token.text}", self.sql, token.start)
            value = int(text, 16)
            return str(value if value <= MAX_INTEGER else value - 2**64)
        if len(text.lstrip("0")) > 19 or (len(text) >= 19 and int(text) > MAX_INTEGER):
            return repr(float(text)) if float(text) != float("inf") else "9e999"
        return text.lstrip("0") or "0"

    def long_list(self) -> list[exp.Expr]:
        """Skip a list of many literals, up to its parenthesis, and return their trees; else stay and return none."""
        known = len(self.names)
        items, end = self.literals_at(self.position)
        if len(items) < LONG_LIST:
            del self.names[known:]
            return []
        self.move_to(end)
        return items

    def literals_at(self, position: int) -> tuple[list[exp.Expr], int]:
        """Return the trees of a list of nothing but literals and where its closing parenthesis is; else no trees."""
        tokens, known = self.tokens, len(self.names)
        items: list[exp.Expr] = []
        while True:
            token = tokens[position]
            negative = token.kind == "-" and tokens[position + 1].kind in _NUMBERS
            if negative:
                position += 1
                token = tokens[position]
            after = tokens[position + 1].kind if token.kind in _LITERALS else ""
            if after not in (",", ")") or (negative and token.text.startswith(_LARGEST_NEGATIVE)):
                del self.names[known:]
                return [], position
            tree = self._literal_tree(token)
            items.append(exp.Neg(this=tree) if negative else tree)
            position += 1
            if after == ")":
                return items, position
            position += 1

    def _literal_tree(self, token: Token) -> exp.Expr:
        kind = token.kind
        if kind in _NUMBERS:
            return exp.Literal(this=self.number(token), is_string=False)
        if kind == "string":
            return exp.Literal(this=unquote(token.text), is_string=True)
        if kind == "parameter":
            return exp.Placeholder(this=f"p{self.parameter_position(token)}")
        return exp.Null() if kind == "NULL" else exp.HexString(this=token.text[2:-1])

    def _column(self) -> None:
        token = self.token
        if self.peek() != "." and token.text.lower() in ("true", "false"):
            self.skip()
            self.write(TokenType.TRUE if token.text.lower() == "true" else TokenType.FALSE, token.text, token)
            return
        self.take_name()
        for _ in range(2):
            if self.kind == ".":
                self.places.append(Place("qualifier", token))
                self.take()
                token = self.token
                self.take_name()
        self.places.append(Place("column", token))

    # Compound operands --------------------------------------------------------------------------------------------

    def _nested(self, read: Callable[[], None]) -> None:
        start = len(self.out)
        outer, self.height = self.height, 0
        read()
        self.height += 1
        if self.height > MAX_NESTING:
            self.graft(self.expressions_since(start)[0])
            self.height = 0
        self.height = max(outer, self.height)

    def _parenthesis(self) -> None:
        self.take()
        if self.kind in QUERY_STARTS:
            self.query()
        else:
            self.expressions()
        self.expect_taking(")")

    def _exists(self) -> None:
        self.take()
        self.expect_taking("(")
        self.query()
        self.expect_taking(")")

    def _case(self) -> None:
        self.take()
        if self.kind != "WHEN":
            self.expression()
        while True:
            self.expect_taking("WHEN")
            self.expression()
            self.expect_taking("THEN")
            self.expression()
            if self.kind != "WHEN":
                break
        if self.kind == "ELSE":
            self.take()
            self.expression()
        self.expect_taking("END")

    def _cast(self) -> None:
        self.take()
        self.expect_taking("(")
        self.expression()
        self.expect_taking("AS")
        token = self.token
        # One identifier that holds the type's words: sqlglot's own types say less than SQLite's rules need.
        self.write(TokenType.IDENTIFIER, MARK + self.read_type(), token)
        self.expect_taking(")")

    def read_type(self) -> str:
        """Skip the words of a declared type and return them as SQLite keeps them; there may be none."""
        start = self.position
        while self.kind in ALIASES and not (self.kind == "GENERATED" and self.peek() == "ALWAYS"):
            self.skip()
        if self.position == start:
            return ""
        if self.accept("("):
            self._signed_number()
            if self.accept(","):
                self._signed_number()
            self.expect(")")
        first = self.tokens[start].text
        return unquote(first) if first[0] in _QUOTES else self.text_since(start)

    def _signed_number(self) -> None:
        if self.kind in ("+", "-"):
            self.skip()
        if self.kind not in _NUMBERS:
            self.fail()
        self.skip()

    # Calls --------------------------------------------------------------------------------------------------------

    def _call(self) -> None:
        self.take_name()
        self.take()
        if self.kind == "*":
            self.take()
        elif self.kind != ")":
            if self.kind == "DISTINCT":
                self.take()
            elif self.kind == "ALL":
                self.skip()
            self.expressions()
            if self.kind == "ORDER":
                self.ordering()
        self.expect_taking(")")
        if self.kind == "FILTER":
            self.take()
            self.expect_taking("(")
            self.expect_taking("WHERE")
            self.expression()
            self.expect_taking(")")
        if self.kind == "OVER":
            self.take()
            if self.kind == "(":
                self.window()
            else:
                self.take_name()

    def window(self) -> None:
        """Read a window in parentheses."""
        self.expect_taking("(")
        if self.kind in NAMES - _FRAMES - {"PARTITION"}:
            self.take_name()
        if self.kind == "PARTITION":
            token = self.skip()
            self.expect("BY")
            self.write(TokenType.PARTITION_BY, "PARTITION BY", token)
            self.expressions()
        if self.kind == "ORDER":
            self.ordering()
        if self.kind in _FRAMES:
            self._frame()
        self.expect_taking(")")

    def _frame(self) -> None:
        self.take()
        if self.kind == "BETWEEN":
            self.take()
            self._frame_end("PRECEDING")
            self.expect_taking("AND")
            self._frame_end("FOLLOWING")
        else:
            self._frame_end("PRECEDING")
        if self.kind != "EXCLUDE":
            return
        self.take()
        if self.kind == "NO":
            self.take()
            self.expect_taking("OTHERS")
        elif self.kind == "CURRENT":
            self.take()
            self.expect_taking("ROW")
        elif self.kind in ("GROUP", "TIES"):
            self.take()
        else:
            self.fail()

    def _frame_end(self, unbounded: str) -> None:
        if self.kind == "UNBOUNDED":
            self.take()
            self.expect_taking(unbounded)
        elif self.kind == "CURRENT":
            self.take()
            self.expect_taking("ROW")
        else:
            start = len(self.out)
            self.expression()
            self.wrap(start)
            if self.kind not in ("PRECEDING", "FOLLOWING"):
                self.fail()
            self.take()
