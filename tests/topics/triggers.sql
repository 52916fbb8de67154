-- Triggers as programs use them.
create table t(a,b)
create trigger tr after insert on t begin update t set b=new.a||'!' where rowid=new.rowid; end
insert into t(a) values(1) returning *
select * from t
insert into t select a+1,null from t
select * from t
with recursive n(i) as (select 1 union all select i+1 from n where i<5) insert into t(a) select i from n
select count(*), count(b) from t
create view v as select a from t
create trigger vi instead of insert on v begin insert into t(a) values(new.a*100); end
insert into v select 5 union select 6
select a from t order by a desc limit 2
pragma recursive_triggers
create table x(i integer primary key, p)
create table y(p, n int)
insert into y values('q',0)
create trigger xi after insert on x begin update y set n=n+1 where p=new.p; end
create trigger xd after delete on x begin update y set n=n-1 where p=old.p; end
create trigger xu after update of p on x begin update y set n=n-1 where p=old.p; update y set n=n+1 where p=new.p; end
insert into x(p) values('q'),('q'),('z')
select * from y
update x set p='z' where i=1
delete from x
select * from y
create trigger aud after update on t when old.a is not new.a begin insert into au(old,new) values(old.a,new.a); end
update t set a=a+1 where a<4
select count(*), min(old), max(new) from au
drop trigger aud
drop trigger if exists aud
drop trigger aud
create trigger bad after insert on t begin select * from nope; end
insert into t values(1,1)
drop trigger bad
insert into t values(1,1)
create trigger chk before insert on t when new.a is null begin select raise(abort,'a is null'); end
insert into t values(null,1)
insert or ignore into t values(null,1)
select count(*) from t where a is null
create trigger tt temp after insert on t begin select 1; end
create trigger w after update of a,b on t begin select case when new.a>100 then raise(fail,'big') end; end
update t set a=a+99
select max(a) from t
