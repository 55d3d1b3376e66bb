create trigger update_recordings_updated_at before update on public.recordings for each row execute function public.update_updated_at_column();

comment on trigger update_recordings_updated_at on public.recordings is 'Keeps recordings.updated_at.';
