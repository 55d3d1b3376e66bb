create table public.templates (
  id uuid default gen_random_uuid() not null,
  name character varying(100) not null,
  type character varying(20) not null,
  channel character varying(20) not null,
  subject character varying(255),
  content text not null,
  html_content text,
  variables text[],
  category character varying(50),
  is_active boolean default true,
  version integer default 1,
  created_by character varying(100),
  created_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  updated_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  constraint templates_pkey primary key (id),
  constraint templates_name_key unique (name),
  constraint templates_channel_check check (((channel)::text = any (array['email'::character varying, 'phone'::character varying, 'sms'::character varying]))),
  constraint templates_type_check check (((type)::text = any (array['email'::character varying, 'sms'::character varying, 'phone_script'::character varying])))
);

comment on table public.templates is 'Texts of e-mails and text messages and scripts of calls, with {{variables}} to fill in.';
comment on column public.templates.id is 'Surrogate key, generated when not given.';
comment on column public.templates.name is 'Name by which campaigns and tasks refer to it; unique.';
comment on column public.templates.type is 'Kind of text.';
comment on column public.templates.channel is 'Channel it is sent or spoken on.';
comment on column public.templates.subject is 'Subject line of an e-mail; NULL otherwise.';
comment on column public.templates.content is 'Plain text, or the script of the call.';
comment on column public.templates.html_content is 'HTML body of an e-mail; NULL: plain text only.';
comment on column public.templates.variables is 'Names of the {{variables}} used in subject and content.';
comment on column public.templates.category is 'Stage the text belongs to, such as reminder, escalation or final_notice; an open list.';
comment on column public.templates.is_active is 'FALSE: no longer offered for new messages.';
comment on column public.templates.version is 'Edition of the text, raised by whoever edits it.';
comment on column public.templates.created_by is 'Who wrote it.';
comment on column public.templates.created_at is 'When the row was inserted, UTC.';
comment on column public.templates.updated_at is 'When the row was last updated, UTC; set by trigger.';
