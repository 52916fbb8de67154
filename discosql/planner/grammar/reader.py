"""The cursor over SQLite's tokens that writes sqlglot's tokens as it goes."""

import re
from typing import Final, Literal, NamedTuple, NoReturn

from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.tokenizer_core import Token as SqlToken
from sqlglot.tokenizer_core import TokenType

from discosql.errors import ProgrammingError, SqlSyntaxError
from discosql.planner.grammar.tree import NAME_MARK, QUOTED_MARK, build_tree
from discosql.planner.tokens import JOIN_KINDS, KEYWORDS, NAME_KINDS, Token, error_near, tokenize, unquote

NAMES: Final = NAME_KINDS | JOIN_KINDS | {"INDEXED", "string"}
"""The kinds of tokens that SQLite takes for a name (nm in parse.y)."""

ALIASES: Final = NAME_KINDS | {"string"}
"""The kinds that may be a name where a keyword could follow as well (ids in parse.y)."""

MAX_PARAMETERS: Final = 32766

_MANY_PARENTHESES: Final = re.compile(r"\(\s*\(\s*\(")

_TYPES: Final = {
    **{word: SQLite.Tokenizer.KEYWORDS.get(word, TokenType.VAR) for word in KEYWORDS},
    **{mark: SQLite.Tokenizer.SINGLE_TOKENS[mark] for mark in "()*,.-+/%&|~<>="},
    "<>": TokenType.NEQ,
    "<=": TokenType.LTE,
    ">=": TokenType.GTE,
    "||": TokenType.DPIPE,
}


class Place(NamedTuple):
    """A token that names something. `owner`: for the column of a table that is named elsewhere, that table's name."""

    kind: Literal["column", "qualifier", "table", "alias", "parent", "owned column", "index"]
    token: Token
    owner: str = ""


class Reader:
    """Tokens of one statement, a position in them, and the sqlglot tokens written so far.

    `names` are the parameters met, one entry a value to bind. `grafts` are trees built apart, which stand in `out` as
    placeholders: deep nests and long lists of literals, that sqlglot's recursion would not survive or be slow with.
    `places` are the tokens that name tables and columns, for ALTER TABLE to rewrite.
    """

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens = _decide_window_words(list(tokenize(sql)))
        if _MANY_PARENTHESES.search(sql):
            self.tokens = _without_needless_parentheses(self.tokens)
        self.position = 0
        self.kind = self.tokens[0].kind
        self.out: list[SqlToken] = []
        self.names: list[str | None] = []
        self.grafts: list[exp.Expr | list[exp.Expr]] = []
        self.places: list[Place] = []

    # Reading ------------------------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        """The token at the position."""
        return self.tokens[self.position]

    def peek(self, ahead: int = 1) -> str:
        """Return the kind of a token further on."""
        return self.tokens[min(self.position + ahead, len(self.tokens) - 1)].kind

    def error(self) -> SqlSyntaxError:
        """Return the syntax error at the position."""
        return error_near(self.sql, self.token)

    def fail(self) -> NoReturn:
        """Raise a syntax error at the position."""
        raise self.error()

    def finish(self) -> None:
        """Check that nothing follows."""
        if self.kind != "end":
            self.fail()

    def skip(self) -> Token:
        """Move past a token without writing it."""
        token = self.tokens[self.position]
        if token.kind == "end":
            self.fail()
        self.position += 1
        self.kind = self.tokens[self.position].kind
        return token

    def move_to(self, position: int) -> None:
        """Go to a token further on."""
        self.position = position
        self.kind = self.tokens[position].kind

    def take(self) -> Token:
        """Move past a token and write it as it is."""
        token = self.skip()
        self.write(_TYPES[token.kind], token.kind, token)
        return token

    def accept(self, *kinds: str) -> bool:
        """Skip the given kinds if they all come next."""
        if self.kind != kinds[0] or any(self.peek(i) != kind for i, kind in enumerate(kinds) if i):
            return False
        for _ in kinds:
            self.skip()
        return True

    def expect(self, *kinds: str) -> None:
        """Skip the given kinds, which must come next."""
        for kind in kinds:
            if self.kind != kind:
                self.fail()
            self.skip()

    def expect_taking(self, kind: str) -> None:
        """Write a token that must come next."""
        if self.kind != kind:
            self.fail()
        self.take()

    def read_name(self, kinds: frozenset[str] = NAMES) -> str:
        """Skip a name and return it without its quotes."""
        if self.kind not in kinds:
            self.fail()
        return unquote(self.skip().text)

    def read_column(self) -> str:
        """Skip the name of a column and return it."""
        self.places.append(Place("column", self.token))
        return self.read_name()

    def read_table(self) -> str:
        """Skip the name of a table and return it."""
        self.places.append(Place("table", self.token))
        return self.read_name()

    def text_since(self, position: int) -> str:
        """Return the source from the token at `position` to the last one read."""
        return self.sql[self.tokens[position].start : self.tokens[self.position - 1].end]

    # Writing ------------------------------------------------------------------------------------------------------

    def write(self, kind: TokenType, text: str, token: Token | None = None) -> None:
        """Write a sqlglot token; `token` tells its place in the source."""
        start, end = (token.start, token.end - 1) if token else (0, 0)
        self.out.append(SqlToken(kind, text, 1, 1, start, end))

    def take_name(self, kinds: frozenset[str] = NAMES) -> None:
        """Write a name as an identifier that sqlglot cannot take for a keyword."""
        if self.kind not in kinds:
            self.fail()
        token = self.skip()
        mark = QUOTED_MARK if token.text[0] == '"' else NAME_MARK
        self.write(TokenType.IDENTIFIER, unquote(token.text) + mark, token)

    def wrap(self, start: int) -> None:
        """Write parentheses around what was written since `start`."""
        self.out.insert(start, SqlToken(TokenType.L_PAREN, "("))
        self.write(TokenType.R_PAREN, ")")

    def graft(self, tree: exp.Expr | list[exp.Expr]) -> None:
        """Write a placeholder that stands for a tree, or for the items of a list."""
        self.write(TokenType.COLON, ":")
        self.write(TokenType.VAR, f"g{len(self.grafts)}")
        self.grafts.append(tree)

    def take_parameter(self) -> None:
        """Write a parameter as the placeholder of its position."""
        token = self.skip()
        if token.text.startswith("#"):
            raise error_near(self.sql, token)
        self.write(TokenType.COLON, ":", token)
        self.write(TokenType.VAR, f"p{self.parameter_position(token)}", token)

    def parameter_position(self, token: Token) -> int:
        """Return the 0-based position of a parameter's value, a new one where it is not known yet."""
        names = self.names
        if token.text == "?":
            names.append(None)
        elif token.text[0] == "?":
            number = int(token.text[1:])
            if not 1 <= number <= MAX_PARAMETERS:
                raise ProgrammingError(f"variable number must be between ?1 and ?{MAX_PARAMETERS}")
            names.extend([None] * (number - len(names)))
            if names[number - 1] is None:
                names[number - 1] = token.text
            return number - 1
        elif token.text in names:
            return names.index(token.text)
        else:
            names.append(token.text)
        if len(names) > MAX_PARAMETERS:
            raise ProgrammingError("too many SQL variables")
        return len(names) - 1

    # Trees --------------------------------------------------------------------------------------------------------

    def query_since(self, start: int) -> exp.Expr:
        """Take back what was written since `start`, a whole query, and return its tree."""
        return build_tree(self.cut(start), self.grafts, self.sql)

    def expressions_since(self, start: int) -> list[exp.Expr]:
        """Take back what was written since `start`, expressions with commas between, and return their trees."""
        select = build_tree([SqlToken(TokenType.SELECT, "SELECT"), *self.cut(start)], self.grafts, self.sql)
        expressions = list(select.expressions)
        for expression in expressions:
            expression.pop()
        return expressions

    def cut(self, start: int) -> list[SqlToken]:
        """Take back the tokens written since `start`."""
        written = self.out[start:]
        del self.out[start:]
        return written


def _without_needless_parentheses(tokens: list[Token]) -> list[Token]:
    """Return the tokens with at most two parentheses directly within each other: a third never changes the meaning."""
    opened: list[int] = []
    closing: dict[int, int] = {}
    for i, token in enumerate(tokens):
        if token.kind == "(":
            opened.append(i)
        elif token.kind == ")" and opened:
            closing[opened.pop()] = i
    needless: set[int] = set()
    for i, end in closing.items():
        if closing.get(i - 1) == end + 1 and closing.get(i + 1) == end - 1:
            needless |= {i, end}
    return [token for i, token in enumerate(tokens) if i not in needless]


def _decide_window_words(tokens: list[Token]) -> list[Token]:
    """Make WINDOW, OVER and FILTER names where SQLite's tokenizer does, which looks at the tokens around them."""
    for i, token in enumerate(tokens):
        if token.kind not in ("WINDOW", "OVER", "FILTER"):
            continue
        before = tokens[i - 1].kind if i else ""
        after = tokens[i + 1].kind
        if token.kind == "WINDOW":
            keyword = after in NAMES and tokens[i + 2].kind == "AS"
        elif token.kind == "OVER":
            keyword = before == ")" and (after == "(" or after in NAMES)
        else:
            keyword = before == ")" and after == "("
        if not keyword:
            tokens[i] = token._replace(kind="id")
    return tokens
