-- Expressions, functions and simple queries.
create table t1(a int, b text, c real, d)
insert into t1 values(1,'one',1.5,null),(2,'two',2.5,x'00ff'),(3,null,3.0,'txt'),(4,'four',null,4),(null,'FIVE',5.25,5.5)
create table t2(x integer primary key, y text collate nocase, z)
insert into t2 values(1,'ONE',10),(2,'Two',20),(3,'three',30),(10,null,null)
select count(*), sum(a), avg(c), group_concat(b) from t1
select * from t1 join t2 on t1.b = t2.y
select * from t1 join t2 on t2.y = t1.b
select a,b from t1 order by b collate nocase, a desc
select a,b from t1 order by 2 desc nulls last
select typeof(a),typeof(b),typeof(c),typeof(d) from t1
select * from t1 where d between 1 and 'zzz'
select a in (1,2,null), a not in (1,2,null) from t1
select * from t1 where (a,b) in (select x, lower(y) from t2)
select (a,b) = (1,'one') from t1
select (a,b) < (2,'x') from t1
select * from t1 left join t2 on a=x where z is null
select * from t1 natural join t2
select * from t1 full join t2 on a=x order by a,x
select * from t2 where y like 't%'
select * from t2 where y glob 't*'
select like('a%','ABC'), 'abc' like 'a_c', 'a%c' like 'a\%c' escape '\'
select max(a,b), min(1,null) from t1
select a, count(*) over (order by a rows between 1 preceding and current row) from t1
select sum(c) over w, first_value(b) over w from t1 window w as (partition by a>2 order by a)
select json('{"a":[1,2,{"b":null}]}'), json_extract('{"a":[1,2,3]}','$.a[1]','$.a[#-1]')
select json_group_array(b), json_group_object(b,a) from t1 where b is not null
select printf('%5d|%-5s|%05.2f|%x|%q|%w|%Q',42,'ab',3.14159,255,'it''s','a"b',null)
select date('2024-02-29','+1 year'), strftime('%Y-%m-%d %H:%M:%S','2024-01-01 12:34:56.789','-1 day','start of month'), julianday('2000-01-01'), unixepoch('1970-01-02')
select cast('12abc' as integer), cast('1e3' as real), cast(3.99 as int), cast(x'313233' as text), cast('abc' as blob), cast(9223372036854775807 as real)
select 1/2, 1.0/2, 5%3, -5%3, 5%-3, 1/0, 1%0, 2<<3, -1>>1, ~5, 7&3, 7|8
select '10' + 5, '3 apples' * 2, 'x' + 1, '5' || 5, 1 || null
select null is null, null = null, 1 is not null, null and 0, null or 1, not null
select case when null then 1 else 2 end, case 1 when null then 1 when 1 then 'y' end, iif(1,2,3), coalesce(null,null,3), nullif(1,1)
with recursive c(n) as (values(1) union all select n+1 from c where n<5) select group_concat(n,'-') from c
select a, b from t1 union select x, y from t2 order by 1, 2
select a from t1 intersect select x from t2
select a from t1 except select x from t2
select distinct typeof(d) from t1
select * from t1 limit 2 offset 1
select * from t1 limit -1 offset 3
select substr('hello',2,3), substr('hello',-3), instr('hello','l'), replace('aaa','a','bb'), trim('  x '), ltrim('xxy','x'), upper('é'), length('日本'), hex('abc'), quote(x'0102'), unicode('A'), char(72,105), round(2.5), round(-2.567,2), abs(-5), sign(-3)
select zeroblob(3), length(zeroblob(3)), typeof(zeroblob(1)), randomblob(0) is not null
select total(a), total(null), sum(null), count(null), avg(null) from t1 where 0
select a, group_concat(b, '/' order by b desc) from t1 group by a%2 order by 1
select max(b), a from t1
select min(a), b from t1
select sum(distinct a%2) from t1
select count(*) filter (where a>1) from t1
select row_number() over (order by a nulls last), ntile(2) over (order by a), lag(a,1,-1) over (order by a), percent_rank() over (order by a) from t1
select exists(select 1 from t1 where a=9), (select a from t1 where 0)
select * from (values(1,2),(3,4)) as v(p,q)
select * from (select 1 a, 2 b) x join (select 2 b, 3 c) y using(b)
select a, (select count(*) from t2 where x<=a) from t1
select * from t1 where a = (select max(x) from t2 where x < 5)
select t1.*, t2.z from t1, t2 where t1.a=t2.x and t2.z>10
select b from t1 group by b having count(*)=1 order by length(b), b
select a+1 as a from t1 order by a
select -a as a from t1 order by a
select a as b, b as a from t1 order by a
select a from t1 order by -a
select 'A' = 'a' collate nocase, 'a' < 'B' collate nocase, 'a ' = 'a' collate rtrim
select x'ab' < 'zz', 1 < 'a', null < 1, 'a' < x'00'
select 1 = 1.0, '1' = 1, 1 = '1.0', 9007199254740993 = 9007199254740993.0
select 9223372036854775807 + 1, -9223372036854775808 - 1, 9223372036854775807 * 2
select 0x10, 1e2, .5, 5., 1_000
select a from t1 where b is 'one' or b is null
select a from t1 where not (b = 'one')
select a from t1 where b != 'one'
select a from t1 where +a = '1'
select a from t1 where a = '1'
select a from t1 where c = '1.5'
select a from t1 where b = 1
select [a], `b`, "c" from t1 where "a" = 1
select 'it''s', "no such"
select changes(), total_changes(), last_insert_rowid()
select rowid, oid, _rowid_ from t1
select sqlite_version() >= '3.40'
