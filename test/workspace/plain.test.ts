import { describe, expect, test } from '@jest/globals'
import { decodeScript, isPlain } from '../../src/workspace/migration-file.js'

const plain = (text: string): boolean => {
  const script = decodeScript(text, '0001_a.up.sql')
  if ('code' in script) throw script
  return isPlain(script)
}

describe('a script that only defines objects', () => {
  test.each([
    [''],
    ['-- nothing yet'],
    ['create table a (n int)'],
    ['CREATE TABLE a (n int);\n\nCREATE INDEX ON a (n);\n'],
    ['-- a; b\r\ncreate table a (n int); -- the end; really\n'],
    ["create table a (t text default 'x; insert into b');"],
    ['create function f() returns void language plpgsql as $$ begin insert into a values (1); end $$;'],
    ["/* first */ comment on table a is ';';"],
    ['grant select on a to public; revoke all on a from public; alter table a add n int; drop table a;'],
  ])('%j', (text) => {
    expect(plain(text)).toBe(true)
  })
})

describe('a script that does more', () => {
  test.each([
    ['insert into a values (1)'],
    ['create table a (n int);insert into a values (1);'],
    ['create table a (n int);\n-- then\nInsert into a values (1);'],
    ['create table a (n int);/* then */select 1;'],
    ['create table a (n int); (select 1);'],
    ["comment on table a is '; -- x' ; insert into a values (1);\n"],
    ["comment on table a is ';\n-- x' ; select 1\n"],
    ['create table a (n int); -- ended by a carriage return\rselect 1;'],
    ['set role a;'],
    ['do $$ begin end $$;'],
    ['createx table a;'],
    [`create table a (n int);${' '.repeat(5_000)}select 1;`],
  ])('%j', (text) => {
    expect(plain(text)).toBe(false)
  })
})
