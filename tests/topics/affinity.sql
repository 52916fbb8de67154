-- Types, affinity, collations, numbers, formats and dates.
create table t(a integer, b text, c real, d blob, e numeric, f)
insert into t values(1,'1',1.0,x'31','1','1')
insert into t values(null,null,null,null,null,null)
select a=b, a=c, b=c, a='1', b=1, c='1', e='1', f='1', f=1, e=1 from t where a=1
select a<b, b<a, d=b, d>b, f<a, a||b, b+c from t where a=1
select typeof(a+0), typeof(b+0), typeof(e), typeof(f) from t
select a in ('1'), b in (1), c in ('1'), f in (1), f in ('1'), e in ('1.0') from t where a=1
select a from t where b between 0 and 2
select a from t where b between '0' and '2'
select * from t where f=1
select cast(b as int)=1, cast(a as text)='1', +b=1, b='1.0' from t where a=1
select max(a,b), min(b,c), max(b,f) from t where a=1
select nullif(a,b), coalesce(null,b)=1, iif(a=b,'eq','ne') from t where a=1
select case a when '1' then 'y' else 'n' end, case b when 1 then 'y' else 'n' end, case f when 1 then 'y' else 'n' end from t where a=1
select (select a)='1', (select b)=1, (select f)='1' from t where a=1
select x='1', y=1 from (select a x, b y from t where a=1)
select x='1', y=1 from (select a+0 x, b||'' y from t where a=1)
select distinct a, b from t union select b, a from t order by 1
select count(distinct a), count(distinct b) from t
select a from t union select b from t
select * from t t1, t t2 where t1.a=t2.b
select * from t t1, t t2 where t1.b=t2.f
select * from t t1 join t t2 on t1.a=t2.f
select * from t t1 join t t2 using(e)
insert into t(a) values('12')
insert into t(a) values(12.0)
insert into t(c) values('3.5')
insert into t(e) values('abc')
insert into t(e) values('3.0')
insert into t(b) values(5)
insert into t(b) values(5.5)
select typeof(a),typeof(b),typeof(c),typeof(e), a,b,c,e from t order by rowid
select a from t order by b
select b from t order by b
select f from t order by f
select min(f), max(f), sum(b), total(b) from t
select group_concat(a), group_concat(c) from t
create table u(k text collate nocase primary key, v text collate rtrim, w)
insert into u values('Ab','x  ','Q'),('cd','X','q')
select * from u where k='AB'
select * from u where v='x'
select * from u where k in ('aB','CD')
select k from u order by w collate nocase, k desc
select * from u where w='q' collate nocase
select k, count(*) from u group by w collate nocase
select distinct w collate nocase from u
select max(k), min(v) from u
select * from u a join u b on a.k=b.w
select * from u where k||''='AB'
select * from u where k like 'ab'
select * from u where k glob 'ab'
select k from u where k between 'AA' and 'AZ'
select 'a'='A' collate nocase, ('a' collate nocase)='A', 'a'=('A' collate binary)
select * from u where k > 'B' order by k
select case k when 'AB' then 1 end from u
select nullif(k,'AB') from u
select k='ab', 'ab'=k, k='ab' collate binary from u
insert into u values('AB',1,1)
insert into u values('AB',1,1) on conflict(k) do update set w=excluded.w
select * from u
create view vu as select k, v||'' vv from u
select * from vu where k='AB'
select * from vu where vv='x'
select k from u union select 'AB'
select k from u except select 'AB'
select * from u where (k,w)=('AB',1)
select * from u order by v, k
select instr(k,'b'), replace(k,'a','z'), trim(v) from u
select hex(v), length(v) from u
select x'4142' = 'AB', x'4142' like 'ab', cast(x'4142' as text)='AB'
select typeof(1e0), 1e0=1, typeof(1.5e300*1e300), 0.1+0.2, 1e15, 1e16, 123456789012345678, 1.0, 100000000000000000000.0, 1e-5, 0.00001234
select 3.0, 3.10, -0.0, 0.1, 1/3.0, 2e5, 1e100, 12345678.9
select 1=1.0000000000000001, 0.1+0.2=0.3
select '0x1F'+0, 0x1F, ' 12 '+0, '1e2x'+0, '.5'+0, '+5'+0, '- 5'+0
select cast('  12' as int), cast('12.9' as int), cast(-12.9 as int), cast('1e2' as int), cast(1e19 as int), cast('9223372036854775808' as int), cast('-' as int), cast('' as real), cast(null as text)
select cast('abc' as numeric), cast('12.0' as numeric), cast('1e3' as numeric), typeof(cast('1.5' as numeric)), cast(1.0 as text), cast(x'' as int)
select printf('%s %d %f %.3g %e %X %o %c %%', 'a', '12', 1.5, 1234.5678, 0.00012, 255, 8, 'zed'), printf('%08.3f|%+d|% d|%-8d|%8s|%.2s', 3.14159, 5, 5, 5, 'ab', 'abcdef')
select printf('%,d', 1234567), printf('%!.20g', 0.1), printf('%i', 3.9), printf('%s', null), printf('%d', 'x'), printf(null), printf('%z')
select strftime('%s','2024-01-01'), date(0,'unixepoch'), date('2024-01-31','+1 month'), date('2024-03-31','-1 month'), datetime(2460000.5), time('25:00'), date('bad'), date('2024-13-01'), date('2024-02-30')
select date('2024-01-01','weekday 0'), date('2024-05-15','start of year','+6 months','-1 day'), strftime('%w %d %m %Y %H %I %p %M %S %f %e %k %l %P %R %T %F','2024-03-05 14:07:09.123')
select datetime('2024-01-01 12:00:00','localtime','utc'), datetime('2024-01-01T12:00:00Z'), datetime('2024-01-01 12:00+02:00'), unixepoch('2024-01-01','subsec'), datetime(1700000000,'auto'), julianday('2024-01-01 12:00')
select date('2024-01-31','+1 month','floor'), date('2024-01-31','+1 month','ceiling'), time('12:34:56','-1.5 hours'), datetime('2024-01-01','+1 day','+2 hours','-3 minutes','+4.5 seconds')
