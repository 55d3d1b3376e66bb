import { afterEach, expect } from '@jest/globals'
import { runCli, type Ended } from '../support/cli.js'
import { describeSeeds, type SeedBench } from '../support/seeds.js'

const schema = `
create table carriers (id serial primary key, mc_number text not null unique, name text, note text check (note <> 'bad'));
create table loads (load_id int primary key, carrier_id int references carriers);`

let bench: SeedBench
afterEach(async () => {
  await bench.remove()
})

/** dbkit seed, with the times and the engine left out of what it prints. */
async function dbkitSeed(...args: readonly string[]): Promise<Ended> {
  const ended = await runCli(['seed', ...args, ...bench.target], { cwd: bench.folder.path })
  const settled = (text: string): string =>
    text.replaceAll(/ +\d+(\.\d)? m?s\b/g, ' ...').replaceAll(/^freight .*$/gm, 'freight')
  return { ...ended, stdout: settled(ended.stdout), stderr: settled(ended.stderr) }
}

describeSeeds('dbkit seed', (open, { once }) => {
  once('prints what became of each table, set by set', async () => {
    bench = await open(schema, {
      'reference/carriers.csv': 'mc_number,name\n1,one\n2,two\n',
      'sample/loads.csv': 'load_id,carrier_id.mc_number\n7,2\n',
      'sample/more.sql': `insert into loads (load_id) values (8), (9) on conflict do nothing;`,
    })
    const first = await dbkitSeed()
    expect(first.stdout).toBe(
      [
        'freight',
        '  reference',
        '    ✓ carriers       2 new       0 changed       0 as they were ...',
        '  sample',
        '    ✓ loads          1 new       0 changed       0 as they were ...',
        '    ✓ seeds/freight/sample/more.sql  loads 2 new ...',
        '  3 rows new or changed in ...',
        '',
      ].join('\n'),
    )
    // In a pipe there is no progress to be seen.
    expect([first.stderr, first.exit]).toEqual(['', 0])
    bench.write({ 'reference/carriers.csv': 'mc_number,name\n1,uno\n2,two\n' })
    const dry = await dbkitSeed('--dry-run', '--set', 'reference')
    expect(dry.stdout).toBe(
      [
        'freight',
        '  reference',
        '    ✓ carriers       0 new       1 changed       1 as they were ...',
        '  1 row would change; nothing was written',
        '',
      ].join('\n'),
    )
    const quiet = await dbkitSeed('--quiet')
    expect([quiet.stdout, quiet.stderr, quiet.exit]).toEqual(['', '', 0])
    const reset = await dbkitSeed('--set', 'reference,sample', '--reset', '--yes')
    expect(reset.stdout).toContain('note emptied first: carriers, loads')
  })

  once('shows the place of a bad row, however long its line is', async () => {
    bench = await open(schema, {
      'sample/carriers.ndjson': `{"mc_number": "1", "name": "${'long '.repeat(200)}", "note": "bad", "id": 5}\n`,
    })
    const { stdout, stderr, exit } = await dbkitSeed()
    expect([stdout, exit]).toEqual(['freight\n', 3])
    const lines = stderr.split('\n')
    expect(lines[0]).toBe(
      'error freight: new row for relation "carriers" violates check constraint "carriers_note_check" (SQLSTATE 23514)',
    )
    expect(lines[1]).toBe('  seeds/freight/sample/carriers.ndjson:1:1040')
    expect(lines[2]).toContain('long long ", "note": "bad", "id": 5}')
    expect(lines[2]?.indexOf('"bad"')).toBe(lines[3]?.indexOf('^'))
    expect(lines[2]?.length).toBeLessThan(180)
    expect(stderr).toContain('next    Nothing of the seeds was kept.')
  })

  once('prints one JSON document', async () => {
    bench = await open(schema, {
      'sample/carriers.json': '[{"mc_number": "1"}]',
      'sample/x.sql': 'select 1;',
    })
    const good = await dbkitSeed('--json')
    expect(JSON.parse(good.stdout)).toEqual({
      command: 'seed',
      ok: true,
      databases: [
        {
          database: 'freight',
          ok: true,
          engine: expect.objectContaining({ version: expect.any(String) }) as unknown,
          seedSets: ['sample'],
          seed: [
            {
              set: 'sample',
              table: 'carriers',
              files: ['seeds/freight/sample/carriers.json'],
              rows: 1,
              inserted: 1,
              updated: 0,
              unchanged: 0,
              durationMs: expect.any(Number) as unknown,
            },
          ],
          seedScripts: [
            {
              set: 'sample',
              file: 'seeds/freight/sample/x.sql',
              tables: [],
              durationMs: expect.any(Number) as unknown,
            },
          ],
        },
      ],
    })
    bench.write({ 'sample/carriers.json': '[{"mc_number": "1", "nam": "x"}]' })
    const bad = await dbkitSeed('--json')
    expect([bad.exit, bad.stderr]).toEqual([2, ''])
    expect(JSON.parse(bad.stdout)).toMatchObject({
      ok: false,
      databases: [
        {
          error: {
            code: 'seed.unknown-column',
            hint: 'Did you mean name?',
            file: 'seeds/freight/sample/carriers.json',
            line: 1,
            column: 21,
          },
        },
      ],
    })
    const unknown = await dbkitSeed('--json', '--set', 'nope')
    expect([unknown.exit, (JSON.parse(unknown.stdout) as { error: { code: string } }).error.code]).toEqual([
      2,
      'seed.unknown-set',
    ])
  })
})
