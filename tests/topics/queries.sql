-- Grouping, windows, common table expressions, functions, and what is refused.
create table t(x,y)
insert into t values(1,2),(1,3),(2,4)
select x,sum(y) s from t group by x having s>4
select x, y, rank() over (partition by x order by y desc) r from t order by 1,3
select * from (select x, row_number() over (partition by x order by y) rn from t) where rn=1
select x, sum(y) over (order by y range between 1 preceding and 1 following) from t
select x, sum(y) over (order by y groups between 1 preceding and current row exclude ties) from t
select x, nth_value(y,2) over (order by y), last_value(y) over (order by y rows between unbounded preceding and unbounded following) from t
select avg(y) filter (where x=1) over () from t
with a as (select * from t), b as materialized (select x from a) select * from a join b using(x) order by 1,2
with recursive f(a,b) as (select 0,1 union all select b,a+b from f limit 10) select a from f
with recursive t2(n) as (select 1 union select n+1 from t2 where n<3) select * from t2 order by n desc
select * from t where (x,y) in (values(1,2),(2,4))
select * from t order by x desc, y limit 1 offset 1
select * from t where x=1 union all select * from t where y=4 order by y desc limit 2
select group_concat(distinct x) from t
select x from t group by x order by count(*) desc, x
select count(distinct x), count(distinct y) from t
select * from t t1 cross join t t2 where t1.x<t2.x
select * from t t1 left join t t2 on t1.x=t2.x and t1.y<t2.y
select * from t t1 right join (select 9 as x) t2 on t1.x=t2.x
select a.x from t a, t b where a.y=b.y order by a.rowid
select x from t where y > all (select 1)
select sum(x) from t group by ()
select case x when 1 then 'a' else 'b' end k, count(*) from t group by k
select x k from t group by k
select x as y, y as x from t order by x
select * from t where rowid=2
select t.rowid from t
select 1 where exists (select * from t where x=3)
select * from t as a where a.x = (select min(b.x) from t b where b.y>a.y)
select (select x from t limit 1) + 1
select x, (select sum(y) from t b where b.x<=a.x) from t a
select quote(x), quote(y*1.5) from t
values (1,'a'),(2,'b')
select * from (values(1),(2)) order by 1 desc
select column1 from (values(1),(2))
select abs(x'31'), abs('abc'), abs(null)
select max(x) from t where 0
select substr(x'010203',2)
select 'a'||x from t
select * from t where x like '1'
select 5 between 1 and 10, 5 not between 1 and 3
select cast('0x10' as int), '0x10'+0
select round(0.5), round(1.5), round(2.5), round(1e20), round(123.456,-1)
select 1e308*10, -1e308*10, 1e308*10-1e308*10
select 3/2.0, 7%2.5, 7.9%3
select typeof(1/1), typeof(1.0/1), typeof('1'+1), typeof('1.0'+1)
select 'abc' > 'abd', 'a' > 1, x'61' = 'a'
select coalesce(x,y), ifnull(null,x) from t
select min(x,y), max(x,y,3) from t
select length(12345), length(x'00'), length(null), length(1.5)
select upper(x), lower('ABC') from t
select hex(12), hex(1.5), hex(null)
select instr('abc','b'), instr(x'616263',x'62'), instr('abc','')
select char(), char(null), char(65,66)
select unhex('4142'), unhex('4g'), unhex('41 42',' ')
select concat('a',null,1), concat_ws('-','a',null,'b')
select octet_length('é'), string_agg(x,',') from t
select timediff('2024-03-01','2024-02-01'), strftime('%j %W %u %G %V','2024-01-01')
select json_each.key, value, type from json_each('{"a":1,"b":[2]}')
select fullkey, atom from json_tree('[1,{"x":2}]')
select json_set('{"a":1}','$.b',2), json_remove('[1,2,3]','$[1]'), json_patch('{"a":1}','{"a":null}'), json_type('[]'), json_valid('{'), json_quote('x'), json_array_length('[1,2]')
select '{"a":{"b":5}}' -> '$.a', '{"a":{"b":5}}' ->> '$.a.b', '[10,20]' -> 1
select json('{a:1}'), json_error_position('{"a":}'), json_pretty('{"a":[1]}')
select sqrt(16), pow(2,10), ln(1), log(100), log2(8), exp(0), pi()>3.14, mod(7,3), ceil(1.2), floor(-1.2), trunc(-1.7), degrees(pi()), radians(180), sin(0), atan2(1,1)
select format('%,d %+d %e %g %s %c %%', 1234567, 5, 12345.678, 0.0001, 'x', 'yz')
select iif(1,'a'), if(0,'a','b')
select likelihood(1,0.5), likely(0), unlikely(1)
select typeof(nullif(1,1)), sign(null), sign('a')
select count(*) from t where x isnull or y notnull
select x from t indexed by nope
select * from nope
select nope from t
select t.nope from t
select nope(1)
select abs()
select abs(1,2)
selec 1
select
select * from t where
select (select x,y from t)
select x from t where x in (select x,y from t)
select count(*) over () from t where count(*)>1
select sum(sum(x)) from t
insert into t values(1)
insert into t(x) values(1,2)
insert into t(nope) values(1)
update t set nope=1
create table t(a)
create table q(a,a)
drop table nope
select 1 union select 1,2
select x from t order by 5
select x from t group by 5
select x from t limit 'a'
select * from t join t
select a.* from t
