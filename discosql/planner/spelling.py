"""Read what the grammar writes in disguise, so that sqlglot cannot misread it.

sqlglot drops unary plus (which takes affinity away), reads ``f(a -> 'x')`` as a lambda and a path as its own JSON path,
and turns ``CAST(x AS NUMERIC)`` into DECIMAL. The grammar therefore writes these in another way:

- unary ``+x`` arrives as `exp.Sqrt` (an operator of another dialect with the same binding);
- ``a -> b`` arrives as ``a || "->" || b``, two `exp.DPipe` with a marker between (`arrow_of`), for all three
  operators bind alike and to the left; ``->>`` likewise;
- the type of a CAST arrives as one quoted identifier that holds its words (`declared_words`).
"""

from typing import Literal

from sqlglot import exp

_MARK = "\0"


def arrow_of(node: exp.DPipe) -> tuple[Literal["->", "->>"], exp.Expr, exp.Expr] | None:
    """Return operator and operands if a `DPipe` stands for ``->`` or ``->>``, else None."""
    inner = node.this
    operator = inner.expression if isinstance(inner, exp.DPipe) else None
    marker = operator.this if isinstance(operator, exp.Column) else None
    if isinstance(marker, exp.Identifier) and marker.name.startswith(_MARK):
        return ("->>" if marker.name.endswith(">>") else "->"), inner.this, node.expression
    return None


def declared_words(cast: exp.Cast) -> str:
    """Return the words of a CAST's type as written."""
    return str(cast.args["to"].args.get("kind") or "").removeprefix(_MARK)
