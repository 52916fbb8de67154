# Foreign keys are enforced, with their actions.
> CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT UNIQUE)
> CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON DELETE CASCADE, code TEXT REFERENCES p (code) ON UPDATE CASCADE ON DELETE SET NULL)
> INSERT INTO p VALUES (1, 'one'), (2, 'two')
> INSERT INTO c VALUES (1, 1, 'two'), (2, 2, 'two'), (3, NULL, NULL)
---
changed 2
changed 3

!> INSERT INTO c VALUES (4, 9, NULL)
---
IntegrityError: FOREIGN KEY constraint failed

> UPDATE p SET code = 'deux' WHERE id = 2
> DELETE FROM p WHERE id = 1
> SELECT * FROM c
---
changed 1
changed 1
2, 2, 'deux'
3, NULL, NULL

> CREATE TABLE r (p INTEGER REFERENCES p)
> INSERT INTO r VALUES (2)
---
changed 1

!> DELETE FROM p WHERE id = 2
---
IntegrityError: FOREIGN KEY constraint failed
