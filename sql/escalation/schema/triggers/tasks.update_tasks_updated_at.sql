create trigger update_tasks_updated_at before update on public.tasks for each row execute function public.update_updated_at_column();

comment on trigger update_tasks_updated_at on public.tasks is 'Keeps updated_at.';
