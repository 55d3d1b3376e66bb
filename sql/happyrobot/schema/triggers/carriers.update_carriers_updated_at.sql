create trigger update_carriers_updated_at before update on public.carriers for each row execute function public.update_updated_at_column();

comment on trigger update_carriers_updated_at on public.carriers is 'Keeps updated_at and version.';
