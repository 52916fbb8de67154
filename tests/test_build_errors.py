"""What SQLite refuses is refused, in SQLite's words wherever both see the same mistake first."""

import pytest
from binding import build, oracle
from pysqlite3 import dbapi2

from discosql.errors import DatabaseError

QUERIES = """
select rowid from v
select rowid from (select a from t)
select a from t, u
select t.x from t
select x.a from t
select other.t.a from t
select a from other.t
select a from nosuch
select nosuch from t
select nosuch(a) from t
select abs(a,b) from t
select abs() from t
select a from t where nosuch=1
select a from t order by 2
select a from t order by 0
select a from t order by -1
select a from t group by 2
select a from t group by 0
select a,b from t order by 1, 3
select a,b,c from t order by 1,2,3,4
select a from t union select d from u order by 2
select a from t union select d from u order by e
select a from t union select d from u order by a+1
select a,b from t union select d from u
select a,b from t union all select d from u
select a,b from t except select d from u
select a,b from t intersect select d from u
select sum(a) from t where sum(a)>1
select a from t where sum(a)>1
select sum(sum(a)) from t
select sum(a) as s from t where s>1
select sum(a) as s, sum(s) from t
select a from t group by sum(a)
select sum(a) from t group by 1
select sum(a) as s from t group by s
select a from t having a>1
select a from t having sum(a)>1
select a from t order by sum(a)
select row_number() from t
select sum(a) over w from t
select sum(a) over (w order by b) from t window w as (order by a)
select sum(a) over (w partition by b) from t window w as (order by a)
select sum(a) over (w order by a) from t window w as (rows current row)
select abs(a) over () from t
select sum(distinct a) over () from t
select row_number() filter (where a) over () from t
select abs(a) filter (where b) from t
select count(distinct a, b) from t
select group_concat(distinct a, b) from t
select abs(a order by b) from t
select a from t where row_number() over ()
select a from t group by row_number() over ()
select count(*) from t having row_number() over () > 1
select sum(row_number() over ()) from t
select (1,2)
select (a,b) = (1,2,3) from t
select (a,b) = 1 from t
select (a,b) in (select a from u) from t
select a in (select a,d from u) from t
select (select a,b from t)
select a in u from t
select a in main.u from t
select a in nosuch from t
select * from nosuch.t
select x.* from t
select *
select t.* from t x
select * from t x where t.a=1
select * from t limit a
select * from t limit 1 offset a
select a from t order by b collate nosuch
with x(z,q) as (select 1 as y) select * from x
with x as (select * from x) select * from x
with x as (select * from y), y as (select * from x) select * from x
with x as (select 1), x as (select 2) select * from x
with t as (select a from t) select * from t
with recursive n(i) as (select 1 union all select i+1 from n, n as m where i<3) select * from n
with recursive n(i) as (select 1 union all select sum(i) from n) select * from n
with recursive n(i) as (select 1 union all select i+1 from (select * from n) where i<3) select * from n
with recursive n(i) as (select 1 union all select (select max(i) from n)) select * from n
with recursive n(i) as (select 1 except select i+1 from n) select * from n
with recursive n(i,j) as (select 1, 2 union all select i+1 from n) select * from n
with recursive n(i) as (select i from n union all select 1) select * from n
with x(a,b) as (values (1,2)) select a, b, column1 from x
select a from t join u on t.a=u.a
select * from t join u using (b)
select * from t join u using (nosuch)
select * from t natural join u using (a)
select * from t natural join u on 1
select a from t x, t y
select * from json_each('[1]',2,3,4)
select * from t(1)
select * from nosuch(1)
select a like b, a not like b escape 'x', a glob b, nosuch(b) from t
select likelihood(a, 2) from t
select string_agg(a) from t
select coalesce(a) from t
select max() from t
select a from t where (select sum(t.a) from u) > 1
select a as x, x+1 from t
select a from t where exists (select 1 from u where u.a = x)
select a as x, (select x) from t
select sum(a) over (rows between unbounded following and current row) from t
select sum(a) over (rows between current row and unbounded preceding) from t
select sum(a) over (rows between 1 following and 1 preceding) from t
select sum(a) over (order by a,b range 1 preceding) from t
select t."nosuch" from t
select 'a'.b from t
select a.b.c.d from t
select a from t union select a from u order by b
select rowid from t, u
select z from (select a as y from t union select d as z from u)
select c from wide, t
select () from t
select min(a) from t where max(a)=1
select nosuch.* from t
select count(t.*) from t
select count(nosuch) from t
select * from circle
select a from t union select a from u order by 1, nosuch
select a from t group by a order by sum(nosuch)
select count(*) filter (where sum(a) > 1) from t
select sum(count(*)) from t group by a
select a from t where count(*) over () > 1
select a, row_number() over () as r from t where r = 1
select sum(a) over (order by b rows between unbounded preceding and 1 preceding exclude nothing) from t
select ntile() over () from t
select lag() over () from t
select count(a, b) from t
select group_concat() from t
select * from t join u using (a, nosuch)
select * from t left join u on t.a = wide.id join wide w on 1
select * from t left join u on t.a = wide.id join wide
select x.nosuch from t x
select * from (select a from t) s where s.b = 1
select s.a from (select a from t)
select (select nosuch from u) from t
select * from t where exists (select 1 from nosuch)
with c as (select nosuch from t) select * from c
with c(a, b) as (select a from t) select * from c
with c as (select 1) select c.nosuch from c
select * from c
values (1), (1, 2)
select (1, 2) = (select a from t)
select (a, b) from t
select 1 + (1, 2)
select max((1, 2), 3)
select case (1, 2) when 1 then 2 end
select (a, b) between 1 and 2 from t
select (select 1, 2) from t
select a in (select a, b from t) from t
select (a, b) in (1, 2) from t
select exists (select nosuch)
select a from t order by nosuch
select a from t group by nosuch
select a from t having nosuch
select likelihood(a, b) from t
select nosuch() over () from t
select nosuch(*) from t
select abs(*) from t
select sum(*) from t
select a from t limit b
select 1 limit x
select * from pragma_table_info('t', 1, 2)
select distinct on from t
select row_number() over () as r from t group by r
select row_number() over () from t group by 1
select sum(count(*)) over () as r from t group by r
select row_number() over () as r from t group by a having r > 1
select row_number() over () as r from t join u on r = 1
select (select sum(a)) as s from t group by s
select max(a) filter (where sum(b) > 1) from t
select sum(row_number() over ()) over () from t
select 1 from t order by count(*)
"""


@pytest.mark.parametrize("sql", QUERIES.strip().splitlines())
def test_errors(sql: str) -> None:
    with pytest.raises(dbapi2.Error) as theirs:
        oracle().execute(sql).fetchall()
    with pytest.raises(DatabaseError) as ours:
        build(sql)
    assert str(ours.value) == str(theirs.value)
