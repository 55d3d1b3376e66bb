create trigger trg_assignments_updated_at before update on public.assignments for each row execute function public.update_updated_at_column();

comment on trigger trg_assignments_updated_at on public.assignments is 'Keeps updated_at.';
