create trigger trg_contractors_updated_at before update on public.contractors for each row execute function public.update_updated_at_column();

comment on trigger trg_contractors_updated_at on public.contractors is 'Keeps updated_at.';
