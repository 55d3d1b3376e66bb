import type { Command, Option } from 'commander'

/** A command with the words that may follow it. */
interface Node {
  /** "dbkit migrate up" */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly about: string }[]
  readonly options: readonly Flag[]
  readonly choices: readonly string[]
}

interface Flag {
  readonly names: readonly string[]
  readonly about: string
  readonly value: 'none' | 'text' | 'file' | 'database' | readonly string[]
}

/** A script for a shell, made from the commands themselves. */
export function renderCompletion(program: Command, shell: 'bash' | 'zsh' | 'fish'): string {
  const nodes = nodesOf(program)
  switch (shell) {
    case 'bash':
      return renderBash(nodes)
    case 'zsh':
      return renderZsh(nodes)
    case 'fish':
      return renderFish(nodes)
  }
}

function nodesOf(program: Command): readonly Node[] {
  const common = program.options.map(flagOf)
  const visit = (command: Command, path: string): readonly Node[] => {
    const own = command === program ? [] : command.options.map(flagOf)
    const node: Node = {
      path,
      commands: command.commands.map((inner) => ({ name: inner.name(), about: inner.description() })),
      options: [...own, ...common, { names: ['--help'], about: 'display help', value: 'none' }],
      choices: command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
    }
    return [node, ...command.commands.flatMap((inner) => visit(inner, `${path} ${inner.name()}`))]
  }
  return visit(program, program.name())
}

function flagOf(option: Option): Flag {
  const names = [option.short, option.long].filter((name) => name !== undefined)
  const takesValue = option.required || option.optional
  const value = !takesValue
    ? 'none'
    : option.argChoices !== undefined
      ? option.argChoices
      : option.long === '--database'
        ? 'database'
        : /<(?:file|folder|url\|file)>/.test(option.flags)
          ? 'file'
          : 'text'
  return { names, about: option.description, value }
}

/** Flags by their name, once each: what one means differs between commands only in its list of values. */
function flagsWithValue(nodes: readonly Node[]): ReadonlyMap<string, Flag['value']> {
  return new Map(
    nodes.flatMap(({ options }) =>
      options
        .filter(({ value }) => value !== 'none')
        .flatMap(({ names, value }) => names.map((name) => [name, value] as const)),
    ),
  )
}

const wordsOf = ({ commands, options, choices }: Node): string =>
  [...commands.map(({ name }) => name), ...choices, ...options.flatMap(({ names }) => names)].join(' ')

const DATABASES = '$("${COMP_WORDS[0]}" completion --databases 2>/dev/null)'

function renderBash(nodes: readonly Node[]): string {
  const values = [...flagsWithValue(nodes)].map(([name, value]) => {
    if (value === 'database')
      return `    ${name}) COMPREPLY=($(compgen -W "${DATABASES}" -- "$cur")); return ;;`
    if (value === 'file') return `    ${name}) COMPREPLY=($(compgen -f -- "$cur")); return ;;`
    return typeof value === 'string'
      ? `    ${name}) COMPREPLY=(); return ;;`
      : `    ${name}) COMPREPLY=($(compgen -W "${value.join(' ')}" -- "$cur")); return ;;`
  })
  const paths = nodes.slice(1).map(({ path }) => `"${path}"`)
  return `# dbkit completion bash: eval "$(dbkit completion bash)"
_dbkit() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" at=dbkit i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${paths.join('|')}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$prev" in
${values.join('\n')}
  esac
  case "$at" in
${nodes.map((node) => `    "${node.path}") COMPREPLY=($(compgen -W "${wordsOf(node)}" -- "$cur")) ;;`).join('\n')}
  esac
}
complete -o default -F _dbkit dbkit
`
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

function renderZsh(nodes: readonly Node[]): string {
  const described = (name: string, about: string): string =>
    quoted(`${name.replaceAll(':', '\\:')}:${about.replaceAll('\n', ' ')}`)
  const values = [...flagsWithValue(nodes)].map(([name, value]) => {
    if (value === 'database')
      return `    ${name}) compadd -- \${(f)"$(\${words[1]} completion --databases 2>/dev/null)"}; return ;;`
    if (value === 'file') return `    ${name}) _files; return ;;`
    return typeof value === 'string'
      ? `    ${name}) return ;;`
      : `    ${name}) compadd -- ${value.join(' ')}; return ;;`
  })
  const cases = nodes.map(({ path, commands, options, choices }) => {
    const words = [
      ...commands.map(({ name, about }) => described(name, about)),
      ...choices.map((choice) => described(choice, '')),
      ...options.flatMap(({ names, about }) => names.map((name) => described(name, about))),
    ]
    return `    ${quoted(path)}) said=(${words.join(' ')}) ;;`
  })
  return `#compdef dbkit
# dbkit completion zsh > "\${fpath[1]}/_dbkit"
_dbkit() {
  local at=dbkit word
  local -a said
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      ${nodes
        .slice(1)
        .map(({ path }) => `(${quoted(path)})`)
        .join('|')}) at="$at $word" ;;
    esac
  done
  case "\${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$at" in
${cases.join('\n')}
  esac
  _describe dbkit said
}
compdef _dbkit dbkit
`
}

function renderFish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, commands, options, choices }) => {
    const at = `-n ${quoted(`test (__dbkit_at) = "${path}"`)}`
    return [
      ...commands.map(({ name, about }) => `complete -c dbkit ${at} -a ${name} -d ${quoted(about)}`),
      ...(choices.length === 0 ? [] : [`complete -c dbkit ${at} -a ${quoted(choices.join(' '))}`]),
      ...options.map(({ names, about, value }) => {
        const flags = names.map((name) =>
          name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
        )
        const takes =
          value === 'none'
            ? ''
            : value === 'file'
              ? ' -r -F'
              : value === 'text'
                ? ' -x'
                : ` -x -a ${value === 'database' ? quoted('(dbkit completion --databases 2>/dev/null)') : quoted(value.join(' '))}`
        return `complete -c dbkit ${at} ${flags.join(' ')} -d ${quoted(about)}${takes}`
      }),
    ]
  })
  return `# dbkit completion fish > ~/.config/fish/completions/dbkit.fish
function __dbkit_at
  set -l at dbkit
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${nodes
        .slice(1)
        .map(({ path }) => quoted(path))
        .join(' ')}
        set at "$at $word"
    end
  end
  echo $at
end
complete -c dbkit -f
${lines.join('\n')}
`
}
