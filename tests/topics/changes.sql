-- INSERT, UPDATE, DELETE, upserts and RETURNING on a table with generated columns.
create table t(a integer primary key, b text unique, c int default 5 check(c>0), d as (c*2) virtual, e as (b||'!') stored)
insert into t(b,c) values('x',1),('y',2) returning *
insert into t(b) values('x') on conflict(b) do update set c=excluded.c+c where t.c<100 returning a,b,c,d,e
insert into t(b) values('z') on conflict do nothing returning a
update t set c=c+1 where a in (select a from t where b>'x') returning a,c,d
update t set (b,c)=(select 'q'||a, 9) where a=1 returning *
update t set b=u.n from (select 1 as i, 'new' as n) u where u.i=t.a returning b
delete from t where a=3 returning *
select * from t
insert or ignore into t values(1,'dup',1)
replace into t(a,b,c) values(1,'rep',7) returning *
insert into t(a) values(null),(null) returning a
select * from t
update t set a=a+10
select max(rowid) from t
insert into t default values returning *
alter table t add column f text default 'ff'
select a,f from t
alter table t rename column c to cc
select sql from sqlite_master
pragma table_xinfo(t)
create view v(p,q) as select a,cc from t
select * from v
drop table t
select * from v
create table t(a)
select * from v
