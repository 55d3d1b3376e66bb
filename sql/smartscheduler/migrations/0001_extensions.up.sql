-- The three extensions every later migration leans on, apart from the rest because creating them is the
-- one step that can need more rights than the owner of the database has: "uuid-ossp" and pg_trgm are
-- trusted, postgis asks for a superuser. Where a superuser has created it beforehand, the statements
-- below change nothing and any owner can run them.

-- A server without the files of an extension answers with a path inside its installation and nothing
-- else, and stops at the first one. This names all that are missing, and what to install.
do $$
declare
  v_missing text;
begin
  select string_agg(wanted.name, ', ' order by wanted.name)
  into v_missing
  from (values ('uuid-ossp'), ('postgis'), ('pg_trgm')) as wanted (name)
  where not exists (select from pg_catalog.pg_available_extensions as available where available.name = wanted.name);

  if v_missing is not null then
    raise exception 'this PostgreSQL server does not offer: %', v_missing
      using errcode = 'feature_not_supported',
        detail = 'SmartScheduler needs the extensions "uuid-ossp", postgis and pg_trgm.',
        hint = format(
          'Install PostGIS on the server (Debian and Ubuntu: postgresql-%s-postgis-3; Docker: an image with PostGIS); '
          '"uuid-ossp" and pg_trgm come with the contrib modules (postgresql-contrib). '
          'The embedded engine takes PostGIS from the npm package @electric-sql/pglite-postgis.',
          current_setting('server_version_num')::integer / 10000
        );
  end if;
end
$$;

-- Named, because the search_path may begin with a schema of the user, and types and operator classes
-- have to be found from every session.
create extension if not exists "uuid-ossp" with schema public;
create extension if not exists postgis with schema public;
create extension if not exists pg_trgm with schema public;
