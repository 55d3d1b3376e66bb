-- The first account of each role. In SQL, because a data file would put the columns back on every run:
-- once somebody has set a password, changed a name or locked an account here, that has to stay.
-- '!disabled' is no hash of any scheme, so nobody can sign in until a password is set.
insert into users (email, name, password_hash, role)
values
  ('dispatcher@example.com', 'Default Dispatcher', '!disabled', 1),
  ('manager@example.com', 'Default Manager', '!disabled', 2),
  ('admin@example.com', 'Default Administrator', '!disabled', 3)
on conflict (email) do nothing;
