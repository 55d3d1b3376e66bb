-- The extension stays. The way up takes a PostGIS that is already there as it finds it, so nobody can tell any more
-- whether this migration installed it, and dropping it would fail, or with CASCADE destroy, whatever else in the
-- database is built on it. An extension that nothing uses costs nothing.

do $$
begin
  raise notice 'the extension postgis stays installed: other objects of this database may rely on it'
    using hint = 'When nothing does, an administrator can run: drop extension postgis';
end
$$;
