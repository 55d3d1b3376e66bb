// The licences of the packages whose code is inside dist: MIT and its kin ask that their text goes with every copy.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The text of dist/THIRD-PARTY-NOTICES.txt, from the paths of all modules that were bundled. */
export async function noticesFor(modules) {
  const folders = new Set(modules.map(packageFolder).filter((folder) => folder !== undefined))
  const packages = await Promise.all([...folders].map(describe))
  const byName = new Map(packages.map((one) => [`${one.name} ${one.version}`, one]))
  const sorted = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const line = '-'.repeat(80)
  return [
    'The files of dist hold code of these packages, each under its own licence.\n',
    ...sorted.map(
      ({ name, version, license, text }) => `${line}\n${name} ${version} (${license})\n\n${text}\n`,
    ),
  ].join('\n')
}

/** Up to the last node_modules and the package behind it; undefined for our own modules and for what is no file. */
function packageFolder(path) {
  return /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(
    path.replace(/^\0/, '').split('?')[0],
  )?.[1]
}

async function describe(folder) {
  const { name, version, license, author } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  if (typeof license !== 'string')
    throw new Error(`${name} is bundled, and its package.json names no licence: see whether it may be.`)
  const file = (await readdir(folder)).find((entry) => /^(?:licen[cs]e|copying)(?:[.-].*)?$/i.test(entry))
  const holder = typeof author === 'string' ? author : (author?.name ?? `the authors of ${name}`)
  const text =
    file === undefined
      ? `Copyright (c) ${holder}. The package holds no text of its licence.`
      : (await readFile(join(folder, file), 'utf8')).trim()
  return { name, version, license, text }
}
