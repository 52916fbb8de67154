"""Result columns are named as SQLite names them."""

import pytest
from binding import build, oracle_names

QUERIES = """
select a from t
select A from T
select t.A, "a", [a], `a`, T."b" from t
select a as "X y", b 'z', c w from t
select (a), ((a)), +a, -a, a collate nocase, likely(a) from t
select a+1, a  +  1, a+/* x */1 from t
select *, * from t
select t.*, u.* from t, u
select * from t join u using (a)
select * from t natural join u
select * from t left join u using (a)
select * from t right join u using (a)
select * from t full join u using (a)
select a from t full join u using (a)
select a, t.a, u.a from t right join u using (a)
select rowid, _rowid_, oid, t.rowid, ROWID from t
select Id, rowid, ID, wide.id from Wide
select "two words" from wide
select "no such" from t
select 'lit', 1, 1.5, null, x'00', true, false from t
select case when a then 1 else 2 end, cast(a as text), a between 1 and 2, a in (1,2), not a from t
select count(*), COUNT( * ), sum(a), sum( distinct a ) from t
select exists(select 1), (select a from t), (select a) from t
select * from (select a, b from t)
select * from (select a, a from t)
select * from (select a, a, a from t)
select * from (select a as x, b as x from t)
select * from (select a+1, a+1 from t)
select * from (select 1, 2)
select x.a from (select a from t) x
select x.* from (select a, b+1 from t) as x
select * from (values (1,2))
values (1,2),(3,4)
values (1) union values (2)
select * from v
select "a+1" from v
select * from w
select x, y, w.x from w
select t.a, u.a from t, u
select main.t.a from main.t
select main.t.a from t
select a from main.t
select a x from t where x=1
select a+1 as x from t where x=1 group by x having x>1 order by x
select a as b from t order by b
select a as b, b as a from t order by a
select a as b from t group by b
select a from t union select d from u order by d
select a from t union select d from u order by a
select a as x from t union select d as y from u order by y
select a+1 from t union select d from u order by a+1
select a+1 from t union select d from u order by A + 1
select count(*) from t having a>1
select count(*) from t order by sum(a)
select a from t group by a order by sum(b)
select max(a), min(b), max(a,b), min(a,b,c) from t
select row_number() over () from t
select sum(a) over w from t window w as (order by a)
select sum(a) over (w rows current row) from t window w as (order by a)
select abs(distinct a) from t
select sum(a) filter (where b>1) from t
select group_concat(a, b order by c) from t
select a from t order by row_number() over ()
select sum(sum(a)) over () from t
select sum(sum(a)) over () from t group by b
select sum(a) over (order by sum(b)) from t
select (a,b) = (1,2) from t
select (a,b) < (1,2) , (a,b) is (1,2), (a,b) between (1,2) and (3,4) from t
select (a,b) in (select a,d from u), (a,b) in (values (1,2)) from t
select (a,b) in ((1,2),(3,4)) from t
select (select a,b from t) = (1,2)
select (1,2) = (select a,b from t)
select case (a,b) when (1,2) then 1 end from t
select a in (select a from u) from t
select a from t order by a collate nocase
with x as (select 1 as y) select * from x
with x(z) as (select 1 as y) select * from x
with x as (select * from y), y as (select 1 as q) select * from x
with t as (select 1 as q) select * from t
with recursive n(i) as (select 1 union all select i+1 from n where i<3) select * from n
with n(i) as (select 1 union select i+1 from n where i<3) select * from n
with recursive n(i) as (select 1 union all select i+1 from n order by 1 limit 5) select * from n
with x as (values (1,2)) select * from x
select t.a from t join u on t.a=u.a and b=d
select * from t natural join t as t2
select * from (t join u using (a))
select * from (t join u on 1)
select t.a from (t join u on 1)
select * from t, (u join wide on 1) where t.a=u.a
select * from t x, t y, t z
select x.a, y.a from t x, t y
select * from json_each('[1]')
select value from json_each('[1]') j where j.key=0
select name from pragma_table_info('t')
select * from sqlite_master
select type, name from sqlite_schema
select a is b, a is not b, a is null, a isnull, a notnull, a not null, a is true, a is distinct from b from t
select a match b from t
select likelihood(a, 0.5) from t
select total(a), avg(a), group_concat(a), string_agg(a,','), json_group_array(a) from t
select current_timestamp, current_date, CURRENT_TIME
select date('now'), strftime('%Y', 'now'), iif(a,1,2), coalesce(a,b), ifnull(a,b), nullif(a,b) from t
select (select sum(t.a)) from t
select (select sum(t.a) from u) from t
select (select sum(u.a) from u) from t
select (select sum(u.a+t.a) from u) from t
select (select count(*) from u where u.a=t.a) from t group by b
select 1 from t group by a having (select sum(t.a) from u)>0
select a from t group by a having exists(select 1 from u where u.a=t.a)
select x from (select a x from t) group by x
select 1 as x where x=1
select a as x from t where exists (select 1 from u where u.a = x)
select distinct a from t order by b
select distinct a, b from t order by a+b
select a from t group by a order by b
select group_concat(a,',') over (order by a) from t
select lag(a) over (order by b), lead(a,1,0) over (order by b), ntile(2) over (order by a) from t
select sum(a) over (order by a groups between 1 preceding and 1 following exclude ties) from t
select sum(a) over (rows 1.5 preceding) from t
select "t"."a" from t
select a from t where "x"=1
select "abs"(a) from t
select true, "true" from t
select a from t order by "zzz"
select a from t group by "zzz"
select a aa, b bb from t union all select a, d from u order by bb, 1
select a from t union select a from u order by t.a
select a from t union select a from u order by u.a
select a from t intersect select a from u order by 1 collate nocase limit 1
select * from t where a = (select a from u limit 1) and b in (select d from u where u.a = t.a)
select last_insert_rowid(), changes(), total_changes(), random(), sqlite_version()
select printf('%d',1), format('%d',1), char(1), hex(b), quote(b), typeof(a), unicode(b) from t
select rowid from t join (select 1)
select t.rowid, u.rowid from t,u
select max(a) filter (where b) over (partition by c) from t
select * from (select * from t union select * from u)
select a from (select a from t union select d from u)
select y from (select a as y from t union select d as z from u)
select * from t inner join u on t.a=u.a cross join wide left outer join v on v.a=t.a
select wide.* from wide, t
select a from t where a in ()
select * from t order by a nulls last, b desc nulls first
select count(*)+a from t
select distinct count(*) from t group by a
select not exists (select 1 from t)
select a from t group by t.a, b, 1, a+1
select -9223372036854775808, 9223372036854775807, 9223372036854775808, 0x10, 1e5, .5, 5.
select ~a, a<<1, a>>1, a&1, a|1, a%2, a||b from t
select a == 1, a != 1, a <> 1 from t
select a->'x', b->>'$.y' from t
select cast(a as numeric), cast(a as varchar(10)), cast(a as "foo bar") from t
select null is null
select upper(lower(b)) from t
select a from t -- a comment
select a   as   "q"   from t
select a /* in */ + /* the */ 1 from t
select  a+1  , b||'x'  from t
select max(a) from t
select MAX( a ) , Min(b) as m from t
select "a" as "b c", `b` from t
select [a] from t
select t.a as t_a, t.b from t as t
select x.a from t as x
select x.a, y.a from t x join t y on x.a = y.a
select x.*, y.a from t x join t y on x.a = y.a
select (select b from t) as s, (select b from t) from t
select ((a+1)) from t
select (a collate nocase) from t
select not a from t
select a is null from t
select cast(a as integer) from t
select case a when 1 then 2 end from t
select -1, +1, - 1, ~1
select 1e3, 0x1F, 1.50, 'it''s', x'AB'
select null, NULL, Null
select true, FALSE
select current_date as d, current_date
select rowid as r, rowid from t
select oid, _rowid_ from u
select Wide.Id, wide."two words" from wide
select * from wide
select wide.*, 1 from wide
select id + 1 from wide
select rowid from wide as x
select v.* from v
select V.BEE from v
select * from (select * from v)
select * from (select a as x from t) join (select a as y from t)
select * from (select a x from t) natural join (select a x from t)
select * from t as p natural join t as q
select * from t p join t q using (a, b)
select * from t p left join u q using (a) left join u r using (a)
select q.* from t p left join u q using (a)
select p.a, q.a, a from t p join u q using (a)
select * from (select 1 as a, 2 as a, 3 as a, 4 as b)
select * from (select a, A from t)
select * from (select a, t.a from t)
select * from (select a+1, a+1 as "a+1" from t)
select * from (select count(*), count(*) from t)
select x."count(*)" from (select count(*) from t) x
select * from (values (1, 2, 3))
select column2 from (values (1, 2, 3))
select v.column1 from (values (1)) as v
values (1, 'x', null)
values (1) union select a from t
select a from t union values (1)
select a as x from t union all select a as y from t
select a, b from t intersect select a, d from u
select a from t except select a from u order by a limit 1
with c as (select a, b from t) select * from c
with c(x, y) as (select a, b from t) select c.* from c
with c(x, y) as (select a, b from t), d as (select x + y from c) select * from d
with c as (select a from t) select p.a, q.a from c p, c q
with c as materialized (select a from t) select a from c
with c as not materialized (select a from t) select a from c
with recursive c(n) as (select 1 union all select n + 1 from c where n < 5) select n, n * 2 from c
with recursive c as (select 1 as n union all select n + 1 from c limit 3) select * from c
with recursive c(n) as (select 1 union select n % 3 + 1 from c union select n % 5 + 1 from c) select * from c
with recursive c(n) as (select 1 union all select n + 1 from c order by 1 desc limit 3) select * from c
select (with c as (select a from t) select count(*) from c)
select * from (with c as (select a from t) select * from c)
select exists (with c as (select 1) select * from c)
select a, count(*) over () from t
select a, sum(a) over (partition by b order by c rows between 1 preceding and current row) as s from t
select first_value(a) over w, last_value(a) over (w range unbounded preceding) from t window w as (order by b)
select a, sum(sum(a)) over () from t group by a
select rank() over (order by count(*)) from t group by a
select group_concat(a order by b desc), string_agg(b, ',') from t
select json_group_array(a), json_group_object(b, a) from t
select count(distinct b), sum(a) filter (where a > 0) from t
select a, b from t group by a
select a + 1 as x from t group by x having x > 1 order by x
select a from t order by b desc nulls first, c
select distinct a, b from t order by c
select a from t limit 1 offset 2
select a from t limit (select 1)
select (a, b) = (1, 'x') from t
select (a, b) in (select a, d from u) from t
select a in (1, 2), a not in (select a from u) from t
select a between 1 and 2, a not between b and c from t
select b like 'x%', b not like 'x' escape '!', b glob '*' from t
select a -> '$', b ->> 'x' from t
select iif(a, b, c), coalesce(a, b), nullif(a, 1), ifnull(a, 2) from t
select value, j.key from json_each('[1, 2]') as j
select * from json_each('{}')
select * from json_tree('{}')
select t.a, j.value from t, json_each(t.b) j
select t.a, j.value from t left join json_each(t.b) as j
select name, type from pragma_table_info('t')
select p.name from sqlite_master m, pragma_table_info(m.name) p
select name, sql from sqlite_master where type = 'table'
select moment, amount, id, flag, day, doc from own
select * from own
select main.t.a, t.b from main.t
select a from main.t x where x.b = 'q'
select a from t not indexed
select * from t cross join u
select * from (t join u on t.a = u.a)
select t.a, e from (t join u on t.a = u.a)
select * from (t join u using (a)) join wide on 1
select * from t, (u cross join wide)
select * from t left join (u join wide on u.a = wide.id) on t.a = u.a
select a, t.a, u.a from t full join u using (a)
select t.a as z from t join u on z = u.a
select t.a from t join u on t.a = wide.id join wide
select 'x' as a from t group by a
select "nothing here" from t
select a as "A b" from t order by "a B"
select 1 where 0
select 1 from t where a = (select max(a) from t) group by b having count(*) > 1 order by 1 limit 1
"""


@pytest.mark.parametrize("sql", QUERIES.strip().splitlines())
def test_names(sql: str) -> None:
    assert [column.name for column in build(sql)[1]] == oracle_names(sql)
