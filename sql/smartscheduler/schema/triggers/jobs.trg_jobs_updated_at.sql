create trigger trg_jobs_updated_at before update on public.jobs for each row execute function public.update_updated_at_column();

comment on trigger trg_jobs_updated_at on public.jobs is 'Keeps updated_at.';
