import type { DbkitError } from '../../errors.js'
import type { Directives, ScriptText } from '../migration-file.js'
import type { VersionOrder } from '../version.js'
import type { LayoutName } from './names.js'

/** The files below a folder of migrations, as a layout looks at them. */
export interface Folder {
  /** Their paths in the folder, with / between the parts, sorted; hidden files and folders are left out. */
  readonly names: readonly string[]
  /** The path as shown to people. */
  readonly show: (name: string) => string
  /** Decoded, without a byte order mark. Throws `workspace.undecodable`. */
  readonly text: (name: string) => string
  /** Whether a file is there in the folder or in one of those around it: what a project is made with says which tool migrates it. */
  readonly around: (name: string) => boolean
  /** The text of such a file, the nearest. */
  readonly textAround: (name: string) => string | undefined
}

export interface LayoutOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Values of ${name}, from the configuration. */
  readonly placeholders: Readonly<Record<string, string>>
}

/** How a tool lays out a folder of migrations, and what its files mean. */
export interface Layout {
  readonly name: LayoutName
  /** Of one that has .up.sql and .down.sql files, as dbkit's own has: the file in the folder or around it that makes them the tool's. */
  readonly toldBy?: string
  /** What in the folder shows that it is this tool's; undefined: nothing does. */
  readonly recognise: (folder: Folder) => string | undefined
  readonly read: (folder: Folder, options: LayoutOptions) => Reading
  /** Where a new migration goes, by its name and by what there is. */
  readonly create: (title: string, context: CreateContext) => readonly NewFile[]
}

export interface CreateContext {
  readonly folder: Folder
  /** What there is, in order. */
  readonly known: readonly { readonly version: string; readonly name: string }[]
  readonly now: Date
  readonly timestamp: boolean | undefined
  /** What the migration does; absent: that is still to be written. */
  readonly texts: NewTexts | undefined
  readonly environment: LayoutOptions['environment']
}

export interface NewTexts {
  readonly up: string
  /** Left out where the tool has no way back. */
  readonly down: string | undefined
  /** Whether up and down can each be one transaction. */
  readonly transaction: { readonly up: boolean; readonly down: boolean }
}

/** Written by `migrate create`; `text` is the whole content of the file from then on. */
export interface NewFile {
  readonly path: string
  readonly text: string
  /** It is there already, and gets another text. */
  readonly replaces?: boolean
}

/** What a layout makes of a folder. */
export interface Reading {
  readonly migrations: readonly Draft[]
  readonly order: VersionOrder
  /** Run after the migrations, again whenever their text has changed, in this order. */
  readonly repeatable?: readonly { readonly name: string; readonly up: Section }[]
  /** What is left out, and why that does no harm. */
  readonly notes?: readonly string[]
  readonly problems?: readonly DbkitError[]
}

/** A migration as its layout found it. */
export interface Draft {
  readonly version: string
  readonly name: string
  readonly up: Section
  readonly down?: Section | undefined
  /** Fails when the migration has not done what it should. */
  readonly check?: Section | undefined
  /** What the tool's own ledger calls it, where that is not its version. */
  readonly key?: string
  /** Why there is no down, where the tool or the file says so. */
  readonly irreversible?: string | undefined
}

/** A piece of a file, and how its tool runs it. */
export interface Section {
  readonly file: string
  readonly from: number
  readonly to: number
  readonly transaction: TransactionRule
  /** What the tool puts in or takes out before it sends the text; only asked when the text is needed. */
  readonly edits?: () => readonly Edit[]
}

/**
 * one: the tool runs it in a transaction. none: statement by statement, as the file asks. sent: in one message, which is a transaction
 * as far as its statements let it be one. check: in a transaction that is rolled back.
 */
export type TransactionRule = 'one' | 'none' | 'sent' | 'check'

/** Text of a file that is run as another one. */
export interface Edit {
  readonly from: number
  readonly to: number
  readonly text: string
}

export type { Directives, ScriptText }
