# Triggers: what is kept of them, what goes with their table, and what is refused.
> CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, price INTEGER)
> CREATE TABLE log (what TEXT)
> CREATE VIEW cheap AS SELECT id, name FROM item WHERE price < 10
---

# A trigger's body is looked up when it fires, and its text kept.
> create trigger  if not exists main.audit  after update of price on item
    when old.price <> new.price begin insert into log values (old.price || ' > ' || new.price); end
> CREATE TRIGGER guard BEFORE DELETE ON item BEGIN SELECT RAISE(ABORT, 'keep it'); END
> CREATE TRIGGER lower INSTEAD OF UPDATE ON cheap BEGIN UPDATE item SET name = lower(NEW.name) WHERE id = OLD.id; END
> SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'
---
'trigger', 'audit', 'item', "CREATE TRIGGER audit  after update of price on item\n  when old.price <> new.price begin insert into log values (old.price || ' > ' || new.price); end"
'trigger', 'guard', 'item', "CREATE TRIGGER guard BEFORE DELETE ON item BEGIN SELECT RAISE(ABORT, 'keep it'); END"
'trigger', 'lower', 'cheap', 'CREATE TRIGGER lower INSTEAD OF UPDATE ON cheap BEGIN UPDATE item SET name = lower(NEW.name) WHERE id = OLD.id; END'

!> CREATE TRIGGER audit AFTER INSERT ON log BEGIN SELECT 1; END
> CREATE TRIGGER IF NOT EXISTS audit AFTER INSERT ON log BEGIN SELECT 1; END
!> CREATE TRIGGER x AFTER INSERT ON missing BEGIN SELECT 1; END
!> CREATE TRIGGER x INSTEAD OF INSERT ON item BEGIN SELECT 1; END
!> CREATE TRIGGER x BEFORE INSERT ON cheap BEGIN SELECT 1; END
!> CREATE TRIGGER x BEFORE INSERT ON sqlite_master BEGIN SELECT 1; END
!> CREATE TRIGGER x BEFORE INSERT ON item BEGIN INSERT INTO log VALUES (?); END
!> CREATE TRIGGER x BEFORE INSERT ON item BEGIN INSERT INTO main.log VALUES (1); END
!> CREATE TRIGGER x BEFORE INSERT ON item BEGIN INSERT INTO log VALUES (1) RETURNING what; END
!> CREATE TRIGGER x BEFORE INSERT ON item BEGIN DELETE FROM log NOT INDEXED; END
!> CREATE TRIGGER x BEFORE INSERT ON item BEGIN END
!> CREATE TRIGGER x BEFORE INSERT ON item FOR EACH STATEMENT BEGIN SELECT 1; END
!> SELECT RAISE(IGNORE)
!> DROP TRIGGER missing
> DROP TRIGGER IF EXISTS missing
---
ProgrammingError: trigger audit already exists
UnknownNameError: no such table: main.missing
ProgrammingError: cannot create INSTEAD OF trigger on table: item
ProgrammingError: cannot create BEFORE trigger on view: cheap
ProgrammingError: cannot create trigger on system table
ProgrammingError: trigger cannot use variables
ProgrammingError: qualified table names are not allowed on INSERT, UPDATE, and DELETE statements within triggers
ProgrammingError: cannot use RETURNING in a trigger
ProgrammingError: the NOT INDEXED clause is not allowed on UPDATE or DELETE statements within triggers
SqlSyntaxError: near "END": syntax error
SqlSyntaxError: near "STATEMENT": syntax error
ProgrammingError: RAISE() may only be used within a trigger-program
UnknownNameError: no such trigger: missing

# What is not there is told when the trigger fires.
> CREATE TRIGGER wrong BEFORE INSERT ON item BEGIN INSERT INTO log VALUES (OLD.name); END
!> INSERT INTO item VALUES (1, 'Tea', 5)
> DROP TRIGGER wrong
> INSERT INTO item VALUES (1, 'Tea', 5), (2, 'Rum', 20)
---
UnknownNameError: no such column: OLD.name
changed 2

# Renaming follows into triggers.
> ALTER TABLE item RENAME COLUMN price TO cents
> ALTER TABLE item RENAME TO goods
> ALTER TABLE log RENAME what TO "the text"
> SELECT sql FROM sqlite_master WHERE type = 'trigger'
> UPDATE goods SET cents = 6 WHERE id = 1
> UPDATE cheap SET name = 'TEA'
!> DELETE FROM goods
> SELECT * FROM goods
> SELECT * FROM log
---
'CREATE TRIGGER audit  after update of cents on "goods"\n  when old.cents <> new.cents begin insert into log values (old.cents || \' > \' || new.cents); end'
'CREATE TRIGGER guard BEFORE DELETE ON "goods" BEGIN SELECT RAISE(ABORT, \'keep it\'); END'
'CREATE TRIGGER lower INSTEAD OF UPDATE ON cheap BEGIN UPDATE "goods" SET name = lower(NEW.name) WHERE id = OLD.id; END'
changed 1
changed 0
IntegrityError: keep it
1, 'tea', 6
2, 'Rum', 20
'5 > 6'

!> ALTER TABLE goods DROP COLUMN cents
!> UPDATE goods SET missing = 1
> DROP VIEW cheap
> SELECT name FROM sqlite_master WHERE type = 'trigger'
> DROP TABLE goods
> SELECT count(*) FROM sqlite_master WHERE type = 'trigger'
---
ProgrammingError: error in view cheap after drop column: no such column: cents
UnknownNameError: no such column: missing
'audit'
'guard'
0
