import { afterEach, expect } from '@jest/globals'
import { changes, describeSeeds, failure, type SeedBench } from '../support/seeds.js'

const schema = `
create table carriers (carrier_id serial primary key, mc_number text not null unique);
create table loads (load_id int primary key, carrier_id int references carriers);
create table other (id int);`

const seeds = {
  'reference/carriers.csv': 'mc_number\n1\n2\n',
  'sample/loads.csv': 'load_id,carrier_id.mc_number\n7,2\n',
}

let bench: SeedBench
afterEach(async () => {
  await bench.remove()
})

describeSeeds('a reset', (open, { everywhere, once }) => {
  everywhere('empties the tables of the sets, sequences as well, and loads them anew', async () => {
    bench = await open(`${schema} insert into other values (1);`, seeds)
    // An empty database has nothing to lose, so nobody has to say yes.
    expect(changes(await bench.seed({ reset: true }))).toEqual([
      'carriers 2 new, 0 changed, 0 same',
      'loads 1 new, 0 changed, 0 same',
    ])
    bench.write({ 'reference/carriers.csv': 'mc_number\n2\n' })
    const again = await bench.seed({ reset: true, yes: true })
    expect(changes(again)).toEqual(['carriers 1 new, 0 changed, 0 same', 'loads 1 new, 0 changed, 0 same'])
    expect(again.notes).toEqual(['emptied first: carriers, loads'])
    expect(
      await bench.rows('select carrier_id, mc_number, load_id from carriers natural join loads'),
    ).toEqual(['1|2|7'])
    expect(await bench.rows('select * from other')).toEqual(['1'])
  })

  once('of a server that holds rows asks for --yes first; a dry run does not', async () => {
    bench = await open(schema, seeds)
    await bench.seed()
    const { kind } = (await bench.seed({ dryRun: true })).engine ?? {}
    if (kind !== 'server') return
    expect(failure(await bench.seed({ reset: true }))).toMatch(
      /^request.needs-yes seed --reset destroys data in postgres@/,
    )
    const dry = await bench.seed({ reset: true, dryRun: true })
    expect(changes(dry)).toEqual(['carriers 2 new, 0 changed, 0 same', 'loads 1 new, 0 changed, 0 same'])
    expect(changes(await bench.seed())).toEqual([
      'carriers 0 new, 0 changed, 2 same',
      'loads 0 new, 0 changed, 1 same',
    ])
  })

  once('is refused where tables depend on these that no set fills', async () => {
    bench = await open(schema, seeds)
    await bench.seed()
    const refused = await bench.seed({ sets: ['reference'], reset: true, yes: true })
    expect(failure(refused)).toBe(
      'seed.reset-dependents loads refers to carriers, but no selected seed set fills it: emptying these alone is not possible.',
    )
    expect(await bench.rows('select count(*) from carriers')).toEqual(['2'])
  })

  once('tells what a table that guards its rows says', async () => {
    bench = await open(
      `${schema}
       create function no_truncate() returns trigger language plpgsql as $$
       begin raise exception 'the trail is append-only'; end $$;
       create trigger no_truncate before truncate on loads for each statement execute function no_truncate();`,
      seeds,
    )
    await bench.seed()
    const refused = await bench.seed({ reset: true, yes: true })
    expect(failure(refused)).toBe(
      'seed.reset-refused carriers, loads cannot be emptied: the trail is append-only.',
    )
    expect(refused.error?.exit).toBe(3)
    expect(await bench.rows('select count(*) from loads')).toEqual(['1'])
  })
})
