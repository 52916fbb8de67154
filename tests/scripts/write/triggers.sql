# Triggers fire row by row, the newest first; what they do belongs to the statement.
> CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, balance INTEGER NOT NULL DEFAULT 0)
> CREATE TABLE history (id INTEGER PRIMARY KEY, what TEXT)
> CREATE TRIGGER first AFTER INSERT ON account BEGIN INSERT INTO history (what) VALUES ('first ' || NEW.id); END
> CREATE TRIGGER second AFTER INSERT ON account BEGIN INSERT INTO history (what) VALUES ('second ' || NEW.id); END
> CREATE TRIGGER before BEFORE INSERT ON account BEGIN INSERT INTO history (what) VALUES ('before ' || NEW.id); END
> INSERT INTO account (owner, balance) VALUES ('Ada', 5), ('Bob', 0) RETURNING id, (SELECT count(*) FROM history)
> SELECT what FROM history ORDER BY id
> SELECT changes(), last_insert_rowid()
> DELETE FROM history
---
1, 1
2, 4
'before -1'
'second 1'
'first 1'
'before -1'
'second 2'
'first 2'
2, 2
changed 6

# One commit, however many tables.
[requests]> INSERT INTO account (owner) VALUES ('Cy')
---
requests: messages 1, post 1
changed 1

> CREATE TRIGGER guard BEFORE UPDATE OF balance ON account WHEN NEW.balance < 0
    BEGIN SELECT RAISE(ABORT, 'overdrawn: ' || OLD.owner || ' by ' || -NEW.balance); END
!> UPDATE account SET balance = balance - 3
> UPDATE account SET balance = balance + 1
> SELECT * FROM account
---
IntegrityError: overdrawn: Bob by 3
changed 3
1, 'Ada', 6
2, 'Bob', 1
3, 'Cy', 1

# RAISE(IGNORE) leaves the row alone, RAISE(FAIL) keeps what was done before.
> CREATE TRIGGER skip BEFORE DELETE ON account WHEN OLD.owner = 'Bob' BEGIN SELECT RAISE(IGNORE); END
> DELETE FROM account
> SELECT * FROM account
> CREATE TRIGGER stop BEFORE INSERT ON account WHEN NEW.id = 12 BEGIN SELECT RAISE(FAIL, 'enough'); END
!> INSERT INTO account (id, owner) VALUES (10, 'Di'), (11, 'Ed'), (12, 'Flo'), (13, 'Gus')
> SELECT id FROM account
---
changed 2
2, 'Bob', 1
IntegrityError: enough
2
10
11

> CREATE TRIGGER away BEFORE INSERT ON account WHEN NEW.id = 20 BEGIN SELECT RAISE(ROLLBACK, 'all is off'); END
> BEGIN
> INSERT INTO account VALUES (19, 'Hal', 1)
!> INSERT INTO account VALUES (20, 'Ida', 1)
!> COMMIT
> SELECT count(*) FROM account WHERE id = 19
---
changed 1
IntegrityError: all is off
OperationalError: cannot commit - no transaction is active
0

# Foreign key actions fire triggers, an upsert those of what it does.
> CREATE TABLE entry (id INTEGER PRIMARY KEY, account INTEGER REFERENCES account ON DELETE CASCADE)
> CREATE TRIGGER gone AFTER DELETE ON entry BEGIN INSERT INTO history (what) VALUES ('entry ' || OLD.id); END
> CREATE TRIGGER changed AFTER UPDATE ON account BEGIN INSERT INTO history (what) VALUES (OLD.owner || ' ' || NEW.owner); END
> INSERT INTO entry VALUES (1, 10), (2, 10), (3, 11)
> DELETE FROM history
> DELETE FROM account WHERE id = 10
> INSERT INTO account VALUES (11, 'Eve', 0) ON CONFLICT DO UPDATE SET owner = excluded.owner
> SELECT what FROM history
---
changed 3
changed 9
changed 1
changed 1
'entry 1'
'entry 2'
'before 11'
'Ed Eve'

# A trigger does not fire itself unless recursive_triggers is on; there is an end to it.
> CREATE TABLE n (i INTEGER)
> CREATE TRIGGER down AFTER INSERT ON n WHEN NEW.i > 0 BEGIN INSERT INTO n VALUES (NEW.i - 1); END
> INSERT INTO n VALUES (5)
> SELECT count(*) FROM n
> PRAGMA recursive_triggers = ON
> PRAGMA recursive_triggers
> INSERT INTO n VALUES (5)
> SELECT count(*) FROM n
!> INSERT INTO n VALUES (5000)
> SELECT count(*) FROM n
---
changed 1
2
1
changed 1
8
OperationalError: too many levels of trigger recursion
8

# INSTEAD OF makes a view changeable.
> CREATE VIEW poor AS SELECT id, owner FROM account WHERE balance < 1
!> INSERT INTO poor VALUES (30, 'Jo')
> CREATE TRIGGER poor_in INSTEAD OF INSERT ON poor BEGIN INSERT INTO account VALUES (NEW.id, upper(NEW.owner), 0); END
> CREATE TRIGGER poor_out INSTEAD OF DELETE ON poor BEGIN UPDATE account SET balance = 1 WHERE id = OLD.id; END
> INSERT INTO poor (id, owner) VALUES (30, 'Jo'), (31, 'Kay') RETURNING owner
!> UPDATE poor SET id = 1
!> INSERT INTO poor VALUES (32, 'Lu') ON CONFLICT DO NOTHING
> DELETE FROM poor WHERE id = 30 RETURNING *
> SELECT * FROM account WHERE id >= 30
---
ProgrammingError: cannot modify poor because it is a view
'Jo'
'Kay'
ProgrammingError: cannot modify poor because it is a view
ProgrammingError: cannot UPSERT a view
30, 'JO'
30, 'JO', 1
31, 'KAY', 0
