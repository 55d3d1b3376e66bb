import { Command } from 'commander'
import { DBKIT_VERSION } from '../index.js'
import { addBenchCommand } from './commands/bench.js'
import { addCompletionCommand } from './commands/completion.js'
import { addInitCommand } from './commands/init.js'
import { addCodegenCommand } from './commands/codegen.js'
import { addBackupCommands } from './commands/backup.js'
import { addDoctorCommand } from './commands/doctor.js'
import { addDocsCommands } from './commands/docs.js'
import { addImportCommands } from './commands/import.js'
import { addDbCommands } from './commands/db.js'
import { addFuzzCommand } from './commands/fuzz.js'
import { addLintCommand } from './commands/lint.js'
import { addMaintainCommand } from './commands/maintain.js'
import { addPortableCommand } from './commands/portable.js'
import { addMigrateCommands, examples } from './commands/migrate.js'
import { addReportCommand } from './commands/report.js'
import { addSchemaCommands } from './commands/schema.js'
import { addSeedCommand } from './commands/seed.js'
import { addSwitchCommand } from './commands/switch.js'
import { addVerifyCommand } from './commands/verify.js'
import { addGlobalOptions } from './options.js'
import type { VerbContext } from './run-verb.js'

/** Every command and flag. Commands only translate flags into a call of the library. */
export function createProgram(context: VerbContext): Command {
  const { terminal } = context
  const program = new Command('dbkit')
    .description('Schema as code for PostgreSQL: versioned SQL, proved rollbacks, seeds and honest types.')
    .version(DBKIT_VERSION, '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      getOutHelpWidth: () => terminal.stdout.columns ?? 100,
      getErrHelpWidth: () => terminal.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    // 20: else a terminal of 60 columns breaks the lines itself, in the middle of words.
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false, minWidthToWrap: 20 })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      examples(
        'dbkit migrate up',
        'dbkit migrate status',
        'dbkit migrate up --dir ./migrations --url postgresql://...',
      ),
    )
  addGlobalOptions(program)
  addInitCommand(program, context)
  addMigrateCommands(program, context)
  addSwitchCommand(program, context)
  addDbCommands(program, context)
  addSeedCommand(program, context)
  addCodegenCommand(program, context)
  addSchemaCommands(program, context)
  addDocsCommands(program, context)
  addImportCommands(program, context)
  addVerifyCommand(program, context)
  addLintCommand(program, context)
  addPortableCommand(program, context)
  addReportCommand(program, context)
  addDoctorCommand(program, context)
  addMaintainCommand(program, context)
  addFuzzCommand(program, context)
  addBackupCommands(program, context)
  addBenchCommand(program, context)
  addCompletionCommand(program, context)
  return program
}
