-- Joins, subqueries, row values, windows over joins.
create table t1(a,b,c)
create table t2(b,c,d)
create table t3(c,d,e)
insert into t1 values(1,2,3),(2,3,4),(3,4,5),(null,2,3)
insert into t2 values(2,3,4),(3,4,5),(4,5,6),(2,null,1)
insert into t3 values(3,4,5),(4,5,6),(null,1,2)
select * from t1 natural join t2 natural join t3
select * from t1 join t2 using(b) join t3 using(d)
select * from t1 left join t2 using(b,c) left join t3 using(c)
select b, t1.b, t2.b from t1 join t2 using(b)
select t1.* from t1 natural left join t2
select * from t1 full join t2 using(b) order by 1,2,3,4,5
select b from t1 full join t2 using(b) order by b
select * from t1 right join t2 using(b) where a is null
select count(*) from t1, t2, t3 where t1.b=t2.b and t2.c=t3.c
select * from t1 join (t2 join t3 on t2.d=t3.d) on t1.b=t2.b
select x.a, y.d from t1 x, t2 y where x.b=y.b and y.d in (select e from t3 union select d from t2)
select a, (select d from t2 where t2.b=t1.b order by d limit 1) from t1
select a from t1 where exists (select 1 from t2 where t2.b=t1.b and exists (select 1 from t3 where t3.c=t2.c))
select a from t1 where not exists (select 1 from t2 where t2.b=t1.a)
select a from t1 where a not in (select b from t2)
select a from t1 where a not in (select c from t2)
select * from t1 where b in (select b from t2 where t2.c=t1.c)
select (select count(*) from t2 where t2.b>=t1.b) n, count(*) from t1 group by n order by n
select a, sum(b) from t1 group by a having sum(b)>(select avg(b) from t2)
select distinct b, c from t1 union all select b,c from t2 order by 2,1
select * from (select a from t1 union select b from t2) where a>2
select max(a), min(b), count(*), count(a) from t1
select a from t1 where a=max(1,2)
select b, max(a) from t1 group by b order by max(a) desc
select a+b s from t1 where s>4
select a+b s, count(*) from t1 group by s having s is not null
select * from t1 order by a is null, a desc
select * from t1 order by abs(a-2), b
select * from t1 where a between b-1 and b
select * from t1 where (a,b)=(1,2) or (b,c)>(3,3)
select * from t1 where (a,b) in ((1,2),(3,4))
select * from t1 where (select a,b)=(1,2)
select (1,2)=(1,2), (1,null)=(1,2), (1,2)<(1,3), (1,2) is (1,2), (2,null)>(1,5)
select 1 in (), 1 not in (), null in ()
select 1 in (select 1 where 0)
select t1.a from t1 left join t2 on t1.b=t2.b and t2.d>5 where t2.d is null
select * from t1 a, t1 b where a.a=b.b
select a from t1 limit (select 2)
select a from t1 limit 1+1 offset 1
select a from t1 limit null
select a from t1 limit -1
select sum(a) over (partition by b order by a), a from t1
select a, lead(a) over win, dense_rank() over win from t1 window win as (order by b)
select a, sum(a) over (order by a rows 1 preceding), count(*) over () from t1
select group_concat(a) over (order by a rows between current row and unbounded following) from t1 where a>0
select cume_dist() over (order by b), a from t1
select a, max(b) over (order by a range between 1 preceding and 1 following exclude current row) from t1
select total(a) over (order by b groups 1 preceding) from t1
select first_value(a) over (partition by b order by a desc nulls last) from t1
with w(x) as (select a from t1), z as (select x+1 y from w) select * from w, z where x=y
with recursive p(i,s) as (select 1,'a' union all select i+1, s||'b' from p where i<4) select * from p order by i desc
with recursive g(n) as (select 1 union all select n*2 from g where n<50), h as (select max(n) m from g) select * from h
with a as (select 1 x), b as (select x+1 x from a) select (select x from b), x from a
select * from t1 where a=(with q as (select 2 v) select v from q)
create view v1 as select a, sum(b) over () s from t1
select * from v1 where a>1
create view v2(x) as with c as (select a from t1) select a from c
select * from v2 where x=2
create table dup as select a, a, b as a from t1
select sql from sqlite_master where name='dup'
select * from t1 a join t2 a using(b)
select a.b from t1 a join t2 a
select * from t1 join t1
select t1.a from t1 join t1
select x.*, y.* from t1 x join t1 y on x.a=y.b
select rowid from t1 join t2
select t1.rowid, t2.rowid from t1 join t2 using(b)
select count(*) from t1 join t2 on 1 join t3 on 0
select * from t1 join t2 on t1.b
select a as b, b as a from t1 group by a order by b
select b as x from t1 group by x having x>2
select a b from t1 where b=2
select a from t1 group by a order by count(*), a
select -a, +a, ~a, not a from t1
select a||b||c from t1
select a/0, a%0, a/2, a/2.0, a*1.5 from t1
select a<<1, a>>1, a&1, a|8 from t1
select case a when 1 then 'one' when null then 'null' else 'other' end from t1
select a collate nocase from t1 order by 1
select typeof(sum(a)), typeof(avg(a)), typeof(total(a)), typeof(max(a)) from t1
select sum(1.0), sum('3x'), sum(x'31') from t1
select quote(group_concat(a,'')) from t1 where a>5
select count(all a), sum(distinct b) from t1
select json_group_array(a order by a desc) from t1
select abs(-9223372036854775808)
select -9223372036854775808, 9223372036854775808, -9223372036854775809
select sum(9223372036854775807) + 1
select sum(x) from (select 9223372036854775807 x union all select 1)
select 1 where null
select 'x' where 'abc'
select 'x' where '1abc'
select 'x' where 0.1
