"""SQLite's grammar, read strictly: what is not SQLite's SQL stops here, and sqlglot gets tokens it cannot misread.

Each class reads one part of the language and is the base of the next: `Reader`, `ExpressionGrammar`, `QueryGrammar`,
`TableGrammar`, `StatementGrammar`. Queries and expressions are checked token by token, written out as sqlglot tokens
and parsed by sqlglot; statements around them come back as the small classes of `syntax`.
"""
