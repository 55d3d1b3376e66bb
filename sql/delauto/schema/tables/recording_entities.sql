create table public.recording_entities (
  recording_id uuid not null,
  "position" integer not null,
  type text,
  value text,
  confidence numeric,
  constraint recording_entities_pkey primary key (recording_id, "position"),
  constraint recording_entities_position_check check (("position" >= 0))
);

comment on table public.recording_entities is 'Things named in a recording; the ai_analysis.entities array of the document, a row an element.';
comment on column public.recording_entities.recording_id is 'Recording the entity was named in, and is deleted with.';
comment on column public.recording_entities."position" is 'Place of the entity in its recording''s list, counted from 0.';
comment on column public.recording_entities.type is 'Kind of thing, such as person, location or time; the list is the analysis'' own.';
comment on column public.recording_entities.value is 'The thing itself, as it was said.';
comment on column public.recording_entities.confidence is 'How sure the analysis is; by custom 0 to 1, but the model sets no bounds.';

alter table public.recording_entities add constraint recording_entities_recording_id_fkey foreign key (recording_id) references public.recordings(id) on delete cascade;
