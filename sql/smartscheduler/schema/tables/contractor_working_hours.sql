create table public.contractor_working_hours (
  id serial,
  contractor_id uuid not null,
  day_of_week integer not null,
  start_time time without time zone not null,
  end_time time without time zone not null,
  constraint contractor_working_hours_pkey primary key (id),
  constraint uq_contractor_day unique (contractor_id, day_of_week),
  constraint chk_day_of_week check ((day_of_week = any (array[0, 1, 2, 3, 4, 5, 6]))),
  constraint chk_max_duration check (((end_time - start_time) <= '16:00:00'::interval)),
  constraint chk_time_order check ((end_time > start_time))
);

comment on table public.contractor_working_hours is 'Weekly hours of a contractor: one span for each day of the week; a day without a row is a day off.';
comment on column public.contractor_working_hours.id is 'Surrogate key; (contractor_id, day_of_week) is the natural one.';
comment on column public.contractor_working_hours.contractor_id is 'Whose hours these are; they go when the contractor is deleted.';
comment on column public.contractor_working_hours.day_of_week is '0=Sunday, 1=Monday, 2=Tuesday, 3=Wednesday, 4=Thursday, 5=Friday, 6=Saturday; of the UTC date, as all times here.';
comment on column public.contractor_working_hours.start_time is 'When the working day begins, UTC clock like the slots it is compared with.';
comment on column public.contractor_working_hours.end_time is 'When the working day ends, UTC clock, the same day and at most 16 hours later; 24:00 means until midnight.';

create index idx_working_hours_contractor on public.contractor_working_hours using btree (contractor_id);
create index idx_working_hours_day on public.contractor_working_hours using btree (day_of_week);

alter table public.contractor_working_hours add constraint fk_working_hours_contractor foreign key (contractor_id) references public.contractors(id) on delete cascade;
