-- What was said to whom, and the texts it is made from.

create table contact_attempts (
  id uuid not null default gen_random_uuid(),
  task_id uuid not null,
  agent_id uuid not null,
  customer_id uuid not null,
  campaign_id uuid,
  channel varchar(20) not null,
  status varchar(20) not null,
  "timestamp" timestamp not null default (now() at time zone 'UTC'),
  duration integer,
  response text,
  metadata jsonb,
  created_at timestamp not null default (now() at time zone 'UTC'),
  constraint contact_attempts_pkey primary key (id),
  constraint contact_attempts_task_id_fkey
    foreign key (task_id) references tasks (id) on delete cascade,
  constraint contact_attempts_agent_id_fkey
    foreign key (agent_id) references agents (id) on delete cascade,
  constraint contact_attempts_customer_id_fkey
    foreign key (customer_id) references customers (id) on delete cascade,
  constraint contact_attempts_campaign_id_fkey
    foreign key (campaign_id) references campaigns (id) on delete set null,
  constraint contact_attempts_channel_check check (channel in ('email', 'phone', 'sms')),
  constraint contact_attempts_status_check
    check (status in ('sent', 'delivered', 'opened', 'answered', 'replied', 'bounced', 'failed'))
);

create index idx_contact_attempts_customer_id on contact_attempts (customer_id);
create index idx_contact_attempts_campaign_id on contact_attempts (campaign_id);
create index idx_contact_attempts_timestamp on contact_attempts ("timestamp");
create index idx_contact_attempts_channel on contact_attempts (channel);
-- Deleting a task or an agent deletes its attempts; without these it would scan all of them.
create index idx_contact_attempts_task_id on contact_attempts (task_id);
create index idx_contact_attempts_agent_id on contact_attempts (agent_id);

comment on table contact_attempts is
  'Every try to reach a customer, one row an e-mail, call or text message. Rows are added and, as delivery reports come in, their status moves on.';
comment on column contact_attempts.id is 'Surrogate key, generated when not given.';
comment on column contact_attempts.task_id is 'The task it was made for; the attempt goes when the task is deleted.';
comment on column contact_attempts.agent_id is 'Who made it; the attempt goes when the agent row is deleted.';
comment on column contact_attempts.customer_id is 'Who was contacted; the attempt goes when the customer row is deleted.';
comment on column contact_attempts.campaign_id is
  'The campaign it was part of; NULL for none, or after the campaign was deleted.';
comment on column contact_attempts.channel is 'How the customer was contacted.';
comment on column contact_attempts.status is
  'What became of it. Answered (calls) and replied (messages) count as responses of the customer.';
comment on column contact_attempts."timestamp" is 'When the customer was contacted, UTC.';
comment on column contact_attempts.duration is 'Length of a call in seconds; NULL on other channels.';
comment on column contact_attempts.response is 'What the customer answered, if anything.';
comment on column contact_attempts.metadata is
  'Identifiers at the carrier of the message by channel, such as emailId, callSid or smsId.';
comment on column contact_attempts.created_at is 'When the row was inserted, UTC.';

create table templates (
  id uuid not null default gen_random_uuid(),
  name varchar(100) not null,
  type varchar(20) not null,
  channel varchar(20) not null,
  subject varchar(255),
  content text not null,
  html_content text,
  variables text[],
  category varchar(50),
  is_active boolean default true,
  version integer default 1,
  created_by varchar(100),
  created_at timestamp not null default (now() at time zone 'UTC'),
  updated_at timestamp not null default (now() at time zone 'UTC'),
  constraint templates_pkey primary key (id),
  constraint templates_name_key unique (name),
  constraint templates_type_check check (type in ('email', 'sms', 'phone_script')),
  constraint templates_channel_check check (channel in ('email', 'phone', 'sms'))
);

comment on table templates is 'Texts of e-mails and text messages and scripts of calls, with {{variables}} to fill in.';
comment on column templates.id is 'Surrogate key, generated when not given.';
comment on column templates.name is 'Name by which campaigns and tasks refer to it; unique.';
comment on column templates.type is 'Kind of text.';
comment on column templates.channel is 'Channel it is sent or spoken on.';
comment on column templates.subject is 'Subject line of an e-mail; NULL otherwise.';
comment on column templates.content is 'Plain text, or the script of the call.';
comment on column templates.html_content is 'HTML body of an e-mail; NULL: plain text only.';
comment on column templates.variables is 'Names of the {{variables}} used in subject and content.';
comment on column templates.category is
  'Stage the text belongs to, such as reminder, escalation or final_notice; an open list.';
comment on column templates.is_active is 'FALSE: no longer offered for new messages.';
comment on column templates.version is 'Edition of the text, raised by whoever edits it.';
comment on column templates.created_by is 'Who wrote it.';
comment on column templates.created_at is 'When the row was inserted, UTC.';
comment on column templates.updated_at is 'When the row was last updated, UTC; set by trigger.';

create trigger update_templates_updated_at
  before update on templates
  for each row execute function update_updated_at_column();

comment on trigger update_templates_updated_at on templates is 'Keeps updated_at.';
