/** Majors that have it: from one on, or up to one. */
export interface Majors {
  readonly since?: number
  /** The last one. */
  readonly until?: number
}

const since = (major: number, ...names: readonly string[]) =>
  names.map((name) => [name, { since: major }] as const)
const until = (major: number, ...names: readonly string[]) =>
  names.map((name) => [name, { until: major }] as const)

/** Functions of PostgreSQL's own that not every major from 14 to 18 has; those for a server's own use are left out. */
export const FUNCTIONS: ReadonlyMap<string, Majors> = new Map<string, Majors>([
  ...until(14, 'pg_start_backup', 'pg_stop_backup', 'pg_is_in_backup', 'pg_backup_start_time'),
  ...since(15, 'pg_backup_start', 'pg_backup_stop', 'has_parameter_privilege', 'pg_settings_get_flags'),
  ...since(15, 'regexp_count', 'regexp_instr', 'regexp_like', 'regexp_substr'),
  ...since(15, 'pg_database_collation_actual_version', 'pg_get_wal_resource_managers'),
  ...since(15, 'pg_ident_file_mappings', 'pg_ls_logicalmapdir', 'pg_ls_logicalsnapdir', 'pg_ls_replslotdir'),
  ...since(16, 'any_value', 'array_sample', 'array_shuffle', 'date_add', 'date_subtract', 'erf', 'erfc'),
  ...since(16, 'random_normal', 'pg_input_is_valid', 'pg_input_error_info', 'pg_split_walfile_name'),
  ...since(16, 'pg_log_standby_snapshot'),
  ...until(16, 'interval_accum', 'pg_read_file_old', 'pg_rotate_logfile_old'),
  ...since(17, 'to_bin', 'to_oct', 'to_regtypemod', 'pg_basetype', 'xmltext', 'jsonb_populate_record_valid'),
  ...since(17, 'unicode_assigned', 'unicode_version', 'icu_unicode_version'),
  ...since(17, 'uuid_extract_timestamp', 'uuid_extract_version', 'pg_column_toast_chunk_id'),
  ...since(17, 'pg_get_wait_events', 'pg_sync_replication_slots', 'pg_available_wal_summaries'),
  ...since(17, 'pg_wal_summary_contents', 'pg_get_wal_summarizer_state'),
  ...since(
    18,
    'uuidv4',
    'uuidv7',
    'casefold',
    'crc32',
    'crc32c',
    'gamma',
    'lgamma',
    'array_reverse',
    'array_sort',
  ),
  ...since(18, 'has_largeobject_privilege', 'pg_get_acl', 'pg_get_loaded_modules', 'pg_get_aios'),
  ...since(18, 'pg_numa_available', 'pg_ls_summariesdir', 'pg_get_sequence_data'),
  ...since(18, 'pg_clear_attribute_stats', 'pg_clear_relation_stats', 'pg_restore_attribute_stats'),
  ...since(18, 'pg_restore_relation_stats', 'pg_get_shmem_allocations_numa'),
])

/** Settings that a migration, a role or a function may set. */
export const SETTINGS: ReadonlyMap<string, Majors> = new Map<string, Majors>([
  ...since(15, 'recursive_worktable_factor', 'stats_fetch_consistency'),
  ...until(15, 'force_parallel_mode', 'lc_collate', 'lc_ctype'),
  ...since(16, 'createrole_self_grant', 'debug_parallel_query', 'enable_presorted_aggregate'),
  ...since(16, 'icu_validation_level', 'scram_iterations', 'vacuum_buffer_usage_limit'),
  ...until(16, 'old_snapshot_threshold'),
  ...since(17, 'transaction_timeout', 'event_triggers', 'enable_group_by_reordering', 'io_combine_limit'),
  ...since(
    18,
    'enable_self_join_elimination',
    'enable_distinct_reordering',
    'vacuum_truncate',
    'file_copy_method',
  ),
  ...since(18, 'track_cost_delay_timing', 'extension_control_path'),
])

export const SYSTEM_RELATIONS: ReadonlyMap<string, Majors> = new Map<string, Majors>([
  ...since(15, 'pg_ident_file_mappings', 'pg_parameter_acl', 'pg_publication_namespace'),
  ...since(15, 'pg_stat_recovery_prefetch', 'pg_stat_subscription_stats'),
  ...since(16, 'pg_stat_io'),
  ...since(17, 'pg_stat_checkpointer', 'pg_wait_events'),
  ...since(18, 'pg_aios', 'pg_shmem_allocations_numa'),
])

export const ROLES: ReadonlyMap<string, Majors> = new Map<string, Majors>([
  ...since(15, 'pg_checkpoint'),
  ...since(16, 'pg_create_subscription', 'pg_use_reserved_connections'),
  ...since(17, 'pg_maintain'),
  ...since(18, 'pg_signal_autovacuum_worker'),
])

/** Extensions that come with PostgreSQL's own source. */
export const EXTENSIONS: ReadonlyMap<string, Majors> = new Map<string, Majors>([
  ...since(15, 'pg_walinspect'),
  ...until(16, 'adminpack', 'old_snapshot'),
  ...since(18, 'pg_logicalinspect'),
])

export function lacks({ since: from, until: to }: Majors, target: number): boolean {
  return (from !== undefined && target < from) || (to !== undefined && target > to)
}

/** For people: "PostgreSQL 15 or later". */
export function describeMajors({ since: from, until: to }: Majors): string {
  return from === undefined
    ? `PostgreSQL ${String(to)} or earlier`
    : `PostgreSQL ${String(from)}${to === undefined ? ' or later' : ` to ${String(to)}`}`
}
