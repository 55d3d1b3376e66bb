create trigger update_api_keys_updated_at before update on public.api_keys for each row execute function public.update_updated_at_column();

comment on trigger update_api_keys_updated_at on public.api_keys is 'Keeps api_keys.updated_at.';
