"""Tokens written so that sqlglot cannot misread them: what `parse` does between tokenizer and parser.

sqlglot drops unary plus (which takes affinity away), reads ``f(a -> 'x')`` as a lambda and a path as its own JSON path,
and turns ``CAST(x AS NUMERIC)`` into DECIMAL. `respell` writes these with tokens that come through whole:

- unary ``+x`` arrives as `exp.Sqrt` (an operator of another dialect with the same binding);
- ``a -> b`` arrives as ``a || "->" || b``, two `exp.DPipe` with a marker between (`arrow_of`), for all three
  operators bind alike and to the left; ``->>`` likewise;
- the type of a CAST arrives as one quoted identifier that holds its words (`declared_words`).
"""

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

_MARK = "\0"
_ENDS_OPERAND = frozenset(
    {
        TokenType.VAR,
        TokenType.IDENTIFIER,
        TokenType.STRING,
        TokenType.NUMBER,
        TokenType.HEX_STRING,
        TokenType.R_PAREN,
        TokenType.NULL,
        TokenType.TRUE,
        TokenType.FALSE,
        TokenType.END,
        TokenType.PLACEHOLDER,
        TokenType.ISNULL,
        TokenType.NOTNULL,
        TokenType.CURRENT_DATE,
        TokenType.CURRENT_TIME,
        TokenType.CURRENT_TIMESTAMP,
    }
)
# A `+` behind one of these words cannot be binary; behind any other word it is, whatever token sqlglot makes of it.
_EXPECTS_OPERAND = frozenset(
    ("SELECT", "DISTINCT", "ALL", "WHERE", "AND", "OR", "NOT", "ON", "HAVING", "BY", "WHEN", "THEN", "ELSE", "CASE")
    + ("BETWEEN", "LIKE", "GLOB", "REGEXP", "MATCH", "ESCAPE", "IS", "IN", "LIMIT", "OFFSET", "RETURNING", "DEFAULT")
)


def respell(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens of a statement or expression with the operators and types above written another way."""
    out: list[Token] = []
    casts: list[bool] = []  # for every open parenthesis, whether it is that of a CAST
    skip_to = 0
    for position, token in enumerate(tokens):
        kind = token.token_type
        if position < skip_to:
            continue
        if kind == TokenType.L_PAREN:
            casts.append(position > 0 and tokens[position - 1].text.upper() == "CAST")
        elif kind == TokenType.R_PAREN and casts:
            casts.pop()
        if kind == TokenType.PLUS and not (out and _ends_operand(out[-1])):
            out.append(_like(token, TokenType.PIPE_SLASH, token.text))
        elif kind in (TokenType.ARROW, TokenType.DARROW):
            pipe = _like(token, TokenType.DPIPE, "||")
            out += [pipe, _like(token, TokenType.IDENTIFIER, _MARK + token.text), pipe]
        elif kind == TokenType.ALIAS and casts and casts[-1] and (end := _closing(tokens, position + 1)) > position + 1:
            out += [token, _type_token(tokens[position + 1 : end])]
            skip_to = end
        else:
            out.append(token)
    return out


def arrow_of(node: exp.DPipe) -> tuple[str, exp.Expression, exp.Expression] | None:
    """Return operator and operands if a `DPipe` stands for ``->`` or ``->>``, else None."""
    inner = node.this
    operator = inner.expression if isinstance(inner, exp.DPipe) else None
    marker = operator.this if isinstance(operator, exp.Column) else None
    if isinstance(marker, exp.Identifier) and marker.name.startswith(_MARK):
        return marker.name[1:], inner.this, node.expression
    return None


def declared_words(cast: exp.Cast) -> str:
    """Return the words of a CAST's type as written."""
    kind = cast.args["to"].args.get("kind")
    return str(kind).removeprefix(_MARK) if kind else str(cast.to.sql("sqlite"))


def _ends_operand(token: Token) -> bool:
    if token.token_type in _ENDS_OPERAND:
        return True
    return token.text.replace("$", "_").isidentifier() and token.text.upper() not in _EXPECTS_OPERAND


def _closing(tokens: Sequence[Token], start: int) -> int:
    """Return the position of the parenthesis that closes the one `start` is inside of, or the end."""
    depth = 0
    for position in range(start, len(tokens)):
        kind = tokens[position].token_type
        if kind == TokenType.R_PAREN and depth == 0:
            return position
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
    return len(tokens)


def _type_token(words: Sequence[Token]) -> Token:
    text = " ".join(word.text for word in words).replace(" ( ", "(").replace(" )", ")").replace(" , ", ",")
    return _like(words[0], TokenType.IDENTIFIER, _MARK + text)


def _like(token: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, token.line, token.col, token.start, token.end)
