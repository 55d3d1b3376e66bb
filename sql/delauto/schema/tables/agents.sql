create table public.agents (
  id uuid default gen_random_uuid() not null,
  mongo_id character varying(24),
  name text not null,
  phone text not null,
  email text not null,
  password text not null,
  role text default 'agent'::text not null,
  active_deliveries integer default 0 not null,
  current_longitude double precision,
  current_latitude double precision,
  current_location public.geography(Point,4326) generated always as ((public.st_setsrid(public.st_makepoint(current_longitude, current_latitude), 4326))::public.geography) stored,
  is_active boolean default true not null,
  push_subscription jsonb,
  last_login timestamp with time zone,
  login_count integer default 0 not null,
  performance_metrics_total_deliveries integer default 0 not null,
  performance_metrics_successful_deliveries integer default 0 not null,
  performance_metrics_average_rating numeric default 0 not null,
  performance_metrics_response_time numeric default 0 not null,
  created_at timestamp with time zone default current_timestamp not null,
  updated_at timestamp with time zone default current_timestamp not null,
  constraint agents_pkey primary key (id),
  constraint agents_email_key unique (email),
  constraint agents_mongo_id_key unique (mongo_id),
  constraint agents_phone_key unique (phone),
  constraint agents_current_latitude_check check (((current_latitude >= ('-90'::integer)::double precision) and (current_latitude <= (90)::double precision))),
  constraint agents_current_location_check check (((current_longitude is null) = (current_latitude is null))),
  constraint agents_current_longitude_check check (((current_longitude >= ('-180'::integer)::double precision) and (current_longitude <= (180)::double precision))),
  constraint agents_email_check check ((email <> ''::text)),
  constraint agents_name_check check ((name <> ''::text)),
  constraint agents_password_check check ((password <> ''::text)),
  constraint agents_phone_check check ((phone <> ''::text)),
  constraint agents_role_check check ((role = any (array['agent'::text, 'admin'::text])))
);

comment on table public.agents is 'People who deliver, and the administrators among them: sign-in, whereabouts and how well they do.';
comment on column public.agents.id is 'Key of the agent; for imported rows derived from mongo_id, so that it can be computed again.';
comment on column public.agents.mongo_id is 'The _id the agent had in MongoDB; null for agents created since.';
comment on column public.agents.name is 'Full name, as shown to customers and dispatchers.';
comment on column public.agents.phone is 'Phone number, unique among agents; E.164 by convention.';
comment on column public.agents.email is 'Mail address the agent signs in with; unique among agents, compared as written.';
comment on column public.agents.password is 'Password hash (bcrypt), written by the application; never the password itself.';
comment on column public.agents.role is 'What the agent may do: agent delivers, admin manages as well.';
comment on column public.agents.active_deliveries is 'Deliveries the agent has in hand now; counted by the application.';
comment on column public.agents.current_longitude is 'Longitude last reported by the agent''s device, in degrees east; null, together with the latitude, until one was.';
comment on column public.agents.current_latitude is 'Latitude last reported by the agent''s device, in degrees north; null, together with the longitude, until one was.';
comment on column public.agents.current_location is 'Point made from current_longitude and current_latitude (WGS 84), to find the nearest agents by; computed.';
comment on column public.agents.is_active is 'Whether the agent may sign in and be given deliveries.';
comment on column public.agents.push_subscription is 'Web Push subscription as the browser handed it over (endpoint and keys); null without consent to notifications.';
comment on column public.agents.last_login is 'When the agent last signed in; null before the first time.';
comment on column public.agents.login_count is 'How often the agent has signed in; counted by the application.';
comment on column public.agents.performance_metrics_total_deliveries is 'Deliveries the agent has ever finished, well or badly; counted by the application.';
comment on column public.agents.performance_metrics_successful_deliveries is 'Deliveries among them that reached the customer; counted by the application.';
comment on column public.agents.performance_metrics_average_rating is 'Mean of the customers'' ratings, 1 to 5; 0 means not rated yet. Computed by the application.';
comment on column public.agents.performance_metrics_response_time is 'Mean time until the agent reacts to an assignment, in minutes; computed by the application.';
comment on column public.agents.created_at is 'When the agent was created; imported rows keep the time MongoDB recorded.';
comment on column public.agents.updated_at is 'When the row last changed; set by a trigger on every update.';

create index idx_agents_current_location on public.agents using gist (current_location);
create index idx_agents_is_active on public.agents using btree (is_active);
create index idx_agents_role on public.agents using btree (role);
create index idx_agents_total_deliveries on public.agents using btree (performance_metrics_total_deliveries desc);
