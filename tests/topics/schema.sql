-- Keys, foreign keys, views, ALTER TABLE, names and PRAGMAs.
create table a(id integer primary key, v text)
create table b(id integer primary key, aid integer references a(id) on delete set null on update cascade, w)
insert into a values(1,'x'),(2,'y')
pragma foreign_keys=1
insert into b values(1,1,'p'),(2,2,'q'),(3,null,'r')
insert into b values(4,9,'s')
update a set id=id+10
select * from b
delete from a where id=11
select * from b
pragma foreign_key_list(b)
pragma foreign_key_check
begin
savepoint s1
insert into a values(5,'z')
savepoint s2
delete from a
rollback to s1
release s1
commit
select * from a
rollback
begin
begin
end
release nope
create view v as select a.id, b.w from a left join b on b.aid=a.id
select * from v
create view v2 as select * from v where w is not null
select * from v2
drop view v
select * from v2
create table c as select * from a
select sql from sqlite_master where name='c'
create index ic on c(v collate nocase desc)
select * from c where v='Y' collate nocase
drop index ic
insert into c select * from a returning id
update c set v=(select group_concat(w) from b)
select * from c
delete from c where rowid in (select max(rowid) from c)
select count(*) from c
create table d(x check(x>0) default 3, y generated always as (x+1), primary key(x)) without rowid
insert into d default values
insert into d values(-1)
select * from d
select rowid from d
insert into d(x,y) values(1,2)
alter table d add column z not null default 0
alter table d drop column z
alter table d rename to dd
select * from dd
alter table dd rename x to xx
select xx, y from dd
create table e(a text collate nocase unique)
insert into e values('A')
insert into e values('a')
insert or ignore into e values('a')
select * from e where a='a'
select a from e group by a
create table f(a,b,c,primary key(a,b),unique(c))
insert into f values(1,2,3),(1,3,4)
insert into f values(1,2,5)
insert into f values(2,2,3)
insert into f values(null,2,7),(null,2,8)
select count(*) from f
replace into f values(1,2,4)
select * from f order by 3
create table g(a integer primary key autoincrement)
insert into g values(10)
delete from g
insert into g values(null)
insert into g values(null)
select * from g
pragma table_info(f)
pragma index_list(f)
create table h(i int, j int as (i*2) stored unique)
insert into h(i) values(1)
insert into h(i) values(1)
update h set i=5
select * from h
create unique index hu on h(i)
insert into h(i) values(5)
create table if not exists h(x)
drop table if exists nope
create table k("select" int, [from] int, `where` int, 'group' int)
insert into k values(1,2,3,4)
select "select", [from], `where`, "group" from k
select k."select" + k.[from] s from k
select 1;
select 'a' 'b'
select 1 as 'x y', 2 "z", 3 [w]
insert into l(a) values('q')
select a,b,c,length(d),e,hex(f),g from l
create table m(a int) strict
insert into m values('12')
select typeof(a) from m
create table n(a, b, constraint pk primary key (a desc), constraint u unique (b) , constraint ch check (a < b))
insert into n values(1,2)
insert into n values(3,2)
pragma table_info(n)
with x(a) as (select 1) insert into n select a+9, a+20 from x
select * from n
with x as (select 10 k) update n set b=99 where a in (select k from x)
with x as (select 10 k) delete from n where a=(select k from x)
select * from n
insert into n values(5,6) on conflict(a) do update set b=7 where b<0 returning *
insert into n values(5,6) on conflict(a) do update set b=77 returning *
insert into n values(5,60) on conflict(b) do nothing on conflict(a) do update set b=78 returning *
select last_insert_rowid()
delete from n
select changes()
vacuum
analyze
reindex
pragma integrity_check
select count(*)>5 from pragma_function_list
select name from pragma_table_info('a')
pragma user_version
pragma user_version=5
pragma user_version
begin
pragma user_version=9
rollback
pragma user_version
pragma user_version=abc
pragma main.user_version
pragma user_version=-3.5
pragma user_version
pragma application_id=12
pragma application_id
create temp table a(other)
pragma table_info(a)
pragma main.table_info(a)
pragma temp.table_info(a)
