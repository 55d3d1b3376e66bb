create trigger update_calls_updated_at before update on public.calls for each row execute function public.update_updated_at_column();

comment on trigger update_calls_updated_at on public.calls is 'Keeps updated_at and version.';
