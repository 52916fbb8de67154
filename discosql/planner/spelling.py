"""Constructs that sqlglot would misread and that are therefore written another way, and how to read them back.

The grammar writes them, the binder reads them:

- unary ``+x``, which sqlglot drops though it takes affinity away, arrives as `exp.Sqrt` (an operator of another dialect
  with the same binding);
- ``a -> b``, whose path sqlglot would rewrite, arrives as ``a || "->" || b``, two `exp.DPipe` with a marker between
  (`arrow_of`), for all three operators bind alike and to the left; ``->>`` likewise;
- ``RAISE(action, message)`` arrives as a call of `RAISE_CALL`, its action a string;
- the type of a CAST, of which sqlglot keeps less than SQLite's rules need, arrives as one quoted identifier that holds
  its words (`declared_words`).
"""

from typing import Final

from sqlglot import exp

MARK: Final = "\0"
"""Begins an identifier that is none in the text."""


RAISE_CALL: Final = f"{MARK}raise"
"""The name of the call that RAISE() arrives as."""


def arrow_of(node: exp.DPipe) -> tuple[str, exp.Expression, exp.Expression] | None:
    """Return operator and operands if a `DPipe` stands for ``->`` or ``->>``, else None."""
    inner = node.this
    operator = inner.expression if isinstance(inner, exp.DPipe) else None
    marker = operator.this if isinstance(operator, exp.Column) else None
    if isinstance(marker, exp.Identifier) and marker.name.startswith(MARK):
        return marker.name[1:], inner.this, node.expression
    return None


def declared_words(cast: exp.Cast) -> str:
    """Return the words of a CAST's type as written."""
    return str(cast.args["to"].args["kind"]).removeprefix(MARK)
