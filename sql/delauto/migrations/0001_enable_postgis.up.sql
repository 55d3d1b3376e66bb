-- Agents and deliveries carry places on the globe, and "who is nearest" has to be answered on the sphere and through an
-- index. PostGIS does both. It is looked up first because the message of a bare CREATE EXTENSION names a file of the
-- server's installation, which tells nobody what to install.

do $$
begin
  if not exists (select from pg_available_extensions where name = 'postgis') then
    raise exception using
      errcode = 'feature_not_supported',
      message = 'DelAuto needs the extension postgis, and this server does not offer it',
      hint = 'Install PostGIS for this major version of PostgreSQL on the database server (Debian: apt install '
        || 'postgresql-' || current_setting('server_version_num')::integer / 10000 || '-postgis-3); for the embedded '
        || 'PostgreSQL, install the package @electric-sql/pglite-postgis.';
  end if;
end
$$;

create extension if not exists postgis;

-- IF NOT EXISTS is content with a PostGIS that lives in any schema; the tables need one they can see.
do $$
begin
  if to_regtype('geography') is null then
    raise exception using
      errcode = 'undefined_object',
      message = 'PostGIS is installed in schema '
        || (
          select extnamespace::regnamespace::text
          from pg_extension
          where extname = 'postgis'
        )
        || ', which is not on the search path (' || current_setting('search_path') || ')',
      hint = 'Drop the extension and create it again in a schema of the search path; PostGIS cannot be moved.';
  end if;
end
$$;
