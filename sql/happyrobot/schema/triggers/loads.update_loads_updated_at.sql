create trigger update_loads_updated_at before update on public.loads for each row execute function public.update_updated_at_column();

comment on trigger update_loads_updated_at on public.loads is 'Keeps updated_at and version.';
