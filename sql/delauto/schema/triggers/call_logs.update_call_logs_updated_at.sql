create trigger update_call_logs_updated_at before update on public.call_logs for each row execute function public.update_updated_at_column();

comment on trigger update_call_logs_updated_at on public.call_logs is 'Keeps call_logs.updated_at.';
